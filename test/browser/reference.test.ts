import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { startApp } from '../build-app.ts'
import { darkPhone, noFaults, overflowOf, skip, startBrowser } from './browser.ts'

const { url } = await startApp(t)
const openPage = skip === false ? await startBrowser(t) : () => Promise.reject(new Error(String(skip)))

for (const path of ['/redoc', '/v1/docs']) {
  test(`Redoc under ${path} renders the reference and contacts no other host`, { skip }, async () => {
    const { page, faults } = await openPage(url, path)
    await page.getByRole('heading', { name: 'AtlasForge Financial API' }).first().waitFor()
    await page.getByRole('heading', { name: "Read the server's state" }).first().waitFor()
    await page.waitForLoadState('networkidle')
    assert.deepEqual(faults, noFaults)
  })
}

test('pages fit a phone, and the list of errors is searched without a script', { skip }, async () => {
  const { page, faults } = await openPage(url, '/errors', darkPhone)
  assert.equal(await overflowOf(page), 0)
  await page.locator('input[name=q]').fill('idempotency')
  await page.locator('input[name=q]').press('Enter')
  await page.waitForURL('**/errors?q=idempotency')
  await page.getByText('idempotency_conflict').first().click()
  await page.getByRole('heading', { name: 'Example' }).waitFor()
  assert.equal(await overflowOf(page), 0)
  for (const path of ['/nowhere/at/all', '/checkout/return?outcome=cancelled', '/redoc']) {
    await page.goto(url + path)
    await page.locator('h1').first().waitFor()
    assert.equal(await overflowOf(page), 0, path)
  }
  assert.deepEqual(faults, noFaults)
})

test('an error page renders with its own style', { skip }, async () => {
  const { page, faults } = await openPage(url, '/errors/insufficient-scope')
  assert.equal(await page.locator('h1').innerText(), 'insufficient_scope')
  assert.notEqual(await page.evaluate<string>('getComputedStyle(document.body).maxWidth'), 'none')
  assert.deepEqual(faults, noFaults)
})
