import assert from 'node:assert/strict'
import { t, test } from 'tap'
import type { Operation } from '../../plugins/operations/table.ts'
import { startApp } from '../build-app.ts'
import { createPartner } from '../credentials.ts'
import { operations, parametersOf } from '../architecture/document.ts'
import { skip, startBrowser } from './browser.ts'

const { url, database } = await startApp(t)
const openPage = skip === false ? await startBrowser(t) : () => Promise.reject(new Error(String(skip)))

test('Swagger UI: who authorises with a key tries an operation and sees the answer', { skip }, async () => {
  const { testKey } = await createPartner(database)
  const { page, strangers, errors } = await openPage(url, '/docs')
  await page.locator('.swagger-ui .info .title').waitFor()

  await page.locator('button.authorize').first().click()
  const dialog = page.locator('.dialog-ux .modal-ux')
  const scheme = dialog.locator('.auth-container', { hasText: 'PartnerKey' })
  await scheme.locator('input').fill(testKey)
  await scheme.locator('button.authorize').click()
  await scheme.getByText('Authorized').first().waitFor()
  await dialog.locator('button.btn-done').first().click()

  // The first operation that asks for a key and nothing else; before any group has one, the server's health.
  const asksForKeyOnly = (operation: Operation) =>
    operation.method === 'GET' &&
    operation.security.flat().includes('PartnerKey') &&
    parametersOf(operation).every(({ required }) => required !== true)
  const operation = operations.find(asksForKeyOnly) ?? operations.find(({ operationId }) => operationId === 'getHealth')
  assert.ok(operation !== undefined)
  // Swagger UI opens a group, and then an operation, by a click on its heading.
  await page.locator(`[data-tag="${operation.tag}"]`).click()
  const block = page.locator(`.opblock[id$="-${operation.operationId}"]`)
  await block.locator('.opblock-summary-control').click()
  const [response] = await Promise.all([
    page.waitForResponse(
      (candidate) => candidate.url().startsWith(url + operation.path) && candidate.request().resourceType() === 'fetch'
    ),
    block.locator('button.execute').click()
  ])
  assert.equal(response.status(), 200)
  if (operation.security.length > 0)
    assert.equal(await response.request().headerValue('authorization'), `Bearer ${testKey}`)
  const live = block.locator('.live-responses-table')
  assert.match(await live.locator('.response-col_status').last().innerText(), /^200/)
  assert.ok((await live.locator('.response-col_description pre').first().innerText()).trim().length > 0)
  assert.deepEqual({ strangers, errors }, { strangers: [], errors: [] })
})

for (const path of ['/redoc', '/v1/docs']) {
  test(`Redoc under ${path}: the reference is drawn, and no other host is asked`, { skip }, async () => {
    const { page, strangers, errors } = await openPage(url, path)
    await page.getByRole('heading', { name: 'AtlasForge Financial API' }).first().waitFor()
    await page.getByRole('heading', { name: "Read the server's state" }).first().waitFor()
    await page.waitForLoadState('networkidle')
    assert.deepEqual({ strangers, errors }, { strangers: [], errors: [] })
  })
}

test('an error’s page is drawn with its own style', { skip }, async () => {
  const { page, strangers, errors } = await openPage(url, '/errors/insufficient-scope')
  assert.equal(await page.locator('h1').innerText(), 'insufficient_scope')
  assert.notEqual(await page.evaluate<string>('getComputedStyle(document.body).maxWidth'), 'none')
  assert.deepEqual({ strangers, errors }, { strangers: [], errors: [] })
})
