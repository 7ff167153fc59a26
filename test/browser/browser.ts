import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import type { Cleaner } from '../build-app.ts'

const candidates = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome'
]

/** The path of the browser on this machine; undefined if there is none. */
const chromiumPath = candidates.find((path) => path !== '' && existsSync(path))

/** The `skip` option of browser tests: the reason, or false where a browser is installed. */
export const skip =
  chromiumPath === undefined ? 'Chromium is not installed. Run apt-get install chromium, or set CHROMIUM_PATH.' : false

/** Keeps the browser from contacting its vendor, which a test would mistake for requests by the page. */
const quiet = [
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-gpu',
  '--no-sandbox'
]

/** Runs in the page before its own scripts. */
const reportViolations = `addEventListener('securitypolicyviolation', (event) =>
  reportViolation(event.effectiveDirective + ' ' + event.blockedURI + ' ' + event.sample))`

/** Everything that must not happen on a page. */
export interface Faults {
  /** URLs on other hosts that the page requested. */
  foreignRequests: string[]
  /** Uncaught errors of its scripts. */
  errors: string[]
  /** What its Content-Security-Policy blocked. */
  violations: string[]
}

export const noFaults: Faults = { foreignRequests: [], errors: [], violations: [] }

export interface OpenPage {
  page: Page
  faults: Faults
}

/** Starts the browser, which closes after the tests. Each page that it opens has an empty profile. */
export const startBrowser = async (t: Cleaner): Promise<(url: string, path: string) => Promise<OpenPage>> => {
  const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: quiet })
  t.teardown(() => browser.close())
  return async (url, path) => {
    const page = await (await browser.newContext()).newPage()
    const faults: Faults = { foreignRequests: [], errors: [], violations: [] }
    page.on('request', (request) => {
      if (/^(https?|wss?):/.test(request.url()) && !request.url().startsWith(`${url}/`))
        faults.foreignRequests.push(request.url())
    })
    page.on('pageerror', (error) => faults.errors.push(error.message))
    await page.exposeFunction('reportViolation', (violation: string) => faults.violations.push(violation))
    await page.addInitScript(reportViolations)
    await page.goto(url + path)
    return { page, faults }
  }
}
