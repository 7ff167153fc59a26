import assert from 'node:assert/strict'
import type { Page, Response } from 'playwright-core'
import { t, test } from 'tap'
import type { Operation } from '../../plugins/operations/table.ts'
import { startApp } from '../build-app.ts'
import { createPartner } from '../credentials.ts'
import { operations, parametersOf } from '../architecture/document.ts'
import { darkPhone, noFaults, overflowOf, skip, startBrowser } from './browser.ts'

const { url, database } = await startApp(t)
const openPage = skip === false ? await startBrowser(t) : () => Promise.reject(new Error(String(skip)))

const openDialog = async (page: Page) => {
  await page.locator('.swagger-ui .info .title').waitFor()
  await page.locator('button.authorize').first().click()
  return page.locator('.dialog-ux .modal-ux')
}

const authorize = async (page: Page, key: string): Promise<void> => {
  const dialog = await openDialog(page)
  const scheme = dialog.locator('.auth-container', { hasText: 'PartnerKey' })
  await scheme.locator('input').fill(key)
  await scheme.locator('button.authorize').click()
  await scheme.getByText('Authorized').first().waitFor()
  await dialog.locator('button.btn-done').first().click()
}

const blockOf = (page: Page, operationId: string) => page.locator(`.opblock[id$="-${operationId}"]`)

/** Opens an operation, and its tag unless another operation of it is open. */
const open = async (page: Page, { tag, operationId }: Pick<Operation, 'tag' | 'operationId'>) => {
  const block = blockOf(page, operationId)
  if (!(await block.isVisible())) await page.locator(`.opblock-tag[data-tag="${tag}"]`).click()
  await block.locator('.opblock-summary-control').click()
  await block.locator('button.execute').waitFor()
  return block
}

/** Presses Execute in an open operation. */
const execute = async (page: Page, { path, operationId }: Operation): Promise<Response> => {
  const [response] = await Promise.all([
    page.waitForResponse(
      (candidate) => candidate.url().startsWith(url + path) && candidate.request().resourceType() === 'fetch'
    ),
    blockOf(page, operationId).locator('button.execute').click()
  ])
  return response
}

test('Swagger UI authorizes with a key, sends a request and shows its response', { skip }, async () => {
  const { testKey } = await createPartner(database)
  const { page, faults } = await openPage(url, '/docs')
  await authorize(page, testKey)

  // The first operation that needs a key and no parameter; without one, the health check.
  const needsKeyOnly = (operation: Operation) =>
    operation.method === 'GET' &&
    operation.security.flat().includes('PartnerKey') &&
    parametersOf(operation).every(({ required }) => required !== true)
  const operation = operations.find(needsKeyOnly) ?? operations.find(({ operationId }) => operationId === 'getHealth')
  assert.ok(operation !== undefined)
  const block = await open(page, operation)
  const response = await execute(page, operation)
  assert.equal(response.status(), 200)
  if (operation.security.length > 0)
    assert.equal(await response.request().headerValue('authorization'), `Bearer ${testKey}`)
  const live = block.locator('.live-responses-table')
  assert.match(await live.locator('.response-col_status').last().innerText(), /^200/)
  assert.ok((await live.locator('.response-col_description pre').first().innerText()).trim().length > 0)
  assert.deepEqual(faults, noFaults)
})

test(
  'five different POSTs in a row succeed as they open, and the last one again, each with an effect',
  { skip },
  async () => {
    const { testKey } = await createPartner(database)
    const { page, faults } = await openPage(url, '/docs')
    await authorize(page, testKey)
    const names = [
      'createSandboxPublicToken',
      'createLinkToken',
      'calculateSafeToSpend',
      'createWebhook',
      'createProject'
    ]
    const posts = names.map((name) => operations.find(({ operationId }) => operationId === name))
    for (const post of posts) {
      assert.ok(post !== undefined)
      await open(page, post)
      const response = await execute(page, post)
      assert.ok(response.ok(), `${post.operationId}: ${await response.text()}`)
      assert.equal(await response.request().headerValue('idempotency-key'), null)
    }
    const project = posts.at(-1)
    assert.ok(project !== undefined)
    assert.equal((await execute(page, project)).status(), 201)
    const stored = await database.db.selectFrom('projects').select('id').execute()
    assert.equal(stored.length, 2)
    assert.deepEqual(faults, noFaults)
  }
)

test('optional parameters open empty or with their default, so that no filter hides results', { skip }, async () => {
  const { page } = await openPage(url, '/docs')
  await page.locator('.swagger-ui .info .title').waitFor()
  for (const name of ['listTransfers', 'listEvents', 'updateProject']) {
    const operation = operations.find(({ operationId }) => operationId === name)
    assert.ok(operation !== undefined)
    const block = await open(page, operation)
    const shown = parametersOf(operation).filter(({ required, schema }) => required !== true && schema !== undefined)
    assert.ok(shown.length > 0)
    for (const { name: parameter, in: place, schema } of shown) {
      const row = block.locator(`tr[data-param-name="${parameter}"][data-param-in="${place}"]`)
      const value = await row.locator('input, select').first().inputValue()
      assert.equal(value, String((schema as { default?: unknown }).default ?? ''), `${name} ${parameter}`)
    }
  }
})

test('Authorize opens at the partner key, ready for typing', { skip }, async () => {
  const { testKey } = await createPartner(database)
  const { page } = await openPage(url, '/docs', darkPhone)
  const dialog = await openDialog(page)
  const first = dialog.locator('.auth-container').first()
  assert.match(await first.locator('h4').innerText(), /^PartnerKey/)
  await first.locator('input:focus').waitFor()
  await page.keyboard.type(testKey)
  assert.equal(await first.locator('input').inputValue(), testKey)
  assert.equal(await page.evaluate('document.querySelector(".modal-ux-content").scrollTop'), 0)
  assert.equal(await overflowOf(page), 0)
})

test(
  'Swagger UI fits a phone, with every tag open and a response shown, and follows a dark system',
  { skip },
  async () => {
    const { testKey } = await createPartner(database)
    const { page, faults } = await openPage(url, '/docs', darkPhone)
    await authorize(page, testKey)
    // The page hears of the system's colours some time after they changed.
    const becomesDark = (isDark: boolean) =>
      page.locator(isDark ? 'html.dark-mode' : 'html:not(.dark-mode)').waitFor({ state: 'attached' })
    await becomesDark(true)
    assert.equal(await overflowOf(page), 0)
    const operation = operations.find(({ operationId }) => operationId === 'createSandboxPublicToken')
    assert.ok(operation !== undefined)
    await open(page, operation)
    assert.equal((await execute(page, operation)).status(), 200)
    for (const tag of new Set(operations.map((candidate) => candidate.tag))) {
      if (tag !== operation.tag) await page.locator(`.opblock-tag[data-tag="${tag}"]`).first().click()
    }
    assert.equal(await overflowOf(page), 0)
    await page.emulateMedia({ colorScheme: 'light' })
    await becomesDark(false)
    assert.deepEqual(faults, noFaults)
  }
)
