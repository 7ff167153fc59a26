import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import type { Cleaner } from '../build-app.ts'

const candidates = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome'
]

/** The browser on this machine, if there is one. */
const chromiumPath = candidates.find((path) => path !== '' && existsSync(path))

/** For `test`: why the checks in a browser are left out here, or false. */
export const skip =
  chromiumPath === undefined
    ? 'no Chromium on this machine (apt-get install chromium, or name one in CHROMIUM_PATH)'
    : false

/** Keeps the browser from asking its maker for updates and the like, which would be mistaken for the page's own requests. */
const quiet = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
  '--no-sandbox'
]

export interface Opened {
  page: Page
  /** What the page asked of another host than the server. */
  strangers: string[]
  /** What its scripts threw. */
  errors: string[]
}

/** Starts the browser, which closes after the tests; each page that it opens has an empty profile. */
export const startBrowser = async (t: Cleaner): Promise<(url: string, path: string) => Promise<Opened>> => {
  const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: quiet })
  t.teardown(() => browser.close())
  return async (url, path) => {
    const page = await (await browser.newContext()).newPage()
    const strangers: string[] = []
    const errors: string[] = []
    page.on('request', (request) => {
      if (/^(https?|wss?):/.test(request.url()) && !request.url().startsWith(`${url}/`)) strangers.push(request.url())
    })
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(url + path)
    return { page, strangers, errors }
  }
}
