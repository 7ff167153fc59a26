import assert from 'node:assert/strict'
import { t, test } from 'tap'
import type { Operation } from '../../plugins/operations/table.ts'
import { startApp } from '../build-app.ts'
import { createPartner } from '../credentials.ts'
import { operations, parametersOf } from '../architecture/document.ts'
import { noFaults, skip, startBrowser } from './browser.ts'

const { url, database } = await startApp(t)
const openPage = skip === false ? await startBrowser(t) : () => Promise.reject(new Error(String(skip)))

test('Swagger UI authorizes with a key, sends a request and shows its response', { skip }, async () => {
  const { testKey } = await createPartner(database)
  const { page, faults } = await openPage(url, '/docs')
  await page.locator('.swagger-ui .info .title').waitFor()

  await page.locator('button.authorize').first().click()
  const dialog = page.locator('.dialog-ux .modal-ux')
  const scheme = dialog.locator('.auth-container', { hasText: 'PartnerKey' })
  await scheme.locator('input').fill(testKey)
  await scheme.locator('button.authorize').click()
  await scheme.getByText('Authorized').first().waitFor()
  await dialog.locator('button.btn-done').first().click()

  // The first operation that needs a key and no parameter; without one, the health check.
  const needsKeyOnly = (operation: Operation) =>
    operation.method === 'GET' &&
    operation.security.flat().includes('PartnerKey') &&
    parametersOf(operation).every(({ required }) => required !== true)
  const operation = operations.find(needsKeyOnly) ?? operations.find(({ operationId }) => operationId === 'getHealth')
  assert.ok(operation !== undefined)
  // A click on its heading opens a tag, and then an operation.
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
  assert.deepEqual(faults, noFaults)
})

for (const path of ['/redoc', '/v1/docs']) {
  test(`Redoc under ${path} renders the reference and contacts no other host`, { skip }, async () => {
    const { page, faults } = await openPage(url, path)
    await page.getByRole('heading', { name: 'AtlasForge Financial API' }).first().waitFor()
    await page.getByRole('heading', { name: "Read the server's state" }).first().waitFor()
    await page.waitForLoadState('networkidle')
    assert.deepEqual(faults, noFaults)
  })
}

test('an error page renders with its own style', { skip }, async () => {
  const { page, faults } = await openPage(url, '/errors/insufficient-scope')
  assert.equal(await page.locator('h1').innerText(), 'insufficient_scope')
  assert.notEqual(await page.evaluate<string>('getComputedStyle(document.body).maxWidth'), 'none')
  assert.deepEqual(faults, noFaults)
})
