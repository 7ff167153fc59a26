import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Cleaner } from '../test-database.ts'
import { freePort, listens } from '../machines/ports.ts'
import { makeFolder } from '../machines/programs.ts'
import { root } from '../machines/scripts.ts'
import { sectionsOf } from './readme.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** What a newcomer's machine has: a path, and how to reach the registry. No setting of this project or of its tests. */
const inherited =
  /^(PATH|LANG|LC_ALL|(HTTPS?|NO)_PROXY|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|npm_config_(cache|userconfig|globalconfig|registry))$/

const warning = /\bwarn(ing)?s?\b|deprecat/i

export interface Visit {
  /** The steps, in order. Each depends on those before. */
  steps: [guarantee: string, run: () => Promise<void>][]
  /** What the terminals have shown so far. */
  output(): string
}

/** A newcomer who clones HEAD into a folder of their own and follows the README literally. */
export const prepareVisit = async (t: Cleaner): Promise<Visit> => {
  const folder = makeFolder(t, 'newcomer')
  const [clone, home, temporary] = ['atlasforge', 'home', 'tmp'].map((name) => join(folder, name)) as [
    string,
    string,
    string
  ]
  for (const path of [home, temporary]) mkdirSync(path)
  const [port, receiverPort] = [await freePort(), await freePort()]
  const env = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => inherited.test(name))),
    // Speeds up npm ci and changes nothing that it prints.
    npm_config_prefer_offline: 'true',
    // npm itself would keep compiled code in the temporary folder.
    NODE_DISABLE_COMPILE_CACHE: '1',
    HOME: home,
    TMPDIR: temporary,
    PORT: String(port),
    RECEIVER_PORT: String(receiverPort)
  }
  let server: Terminal
  let calls: Terminal
  const terminals: Terminal[] = []
  const open = () => {
    const terminal = openTerminal(t, clone, env)
    terminals.push(terminal)
    return terminal
  }
  const blocksOf = (heading: string): string[] => {
    const section = sectionsOf(readFileSync(join(clone, 'README.md'), 'utf8')).find((one) => one.heading === heading)
    assert.ok(section !== undefined && section.blocks.length > 0, `README.md has commands below "${heading}"`)
    return section.blocks
  }
  const output = () => terminals.map((terminal) => terminal.output()).join('\n')
  return {
    output,
    steps: [
      ['git clone', async () => void execFileSync('git', ['clone', '--quiet', root, clone], { stdio: 'inherit' })],
      [
        'the blocks of "Start" install the packages and start the server',
        async () => {
          server = open()
          for (const block of blocksOf('Start')) server.type(block)
          await server.waitFor(new RegExp(`listens on http://localhost:${port}\n[^]*Ctrl-C stops the server`))
        }
      ],
      [
        'the blocks of "First calls" link a bank, move money and deliver webhooks',
        async () => {
          calls = open()
          const blocks = blocksOf('First calls')
          for (const block of blocks.slice(0, -1)) await calls.run(block)
          for (const shown of [/"item_id":"item_/, /"transactions":\[\{/, /"status":"submitted"/])
            assert.match(calls.output(), shown)
          for (const event of ['account.linked', 'transactions.updated', 'transfer.submitted'])
            await calls.waitFor(new RegExp(`^webhook: .*"type":"${event.replace('.', '\\.')}"`, 'm'))
          for (const block of blocks.slice(-1)) await calls.run(block)
          await calls.close()
        }
      ],
      [
        'Ctrl-C stops the server, and nothing is left: no process, no port, no file outside the clone',
        async () => {
          await server.interrupt()
          assert.deepEqual([await listens(port), await listens(receiverPort)], [false, false])
          assert.deepEqual([readdirSync(temporary), readdirSync(home)], [[], []])
          assert.equal(execFileSync('git', ['status', '--porcelain'], { cwd: clone, encoding: 'utf8' }), '')
        }
      ],
      [
        'no program printed a warning',
        async () =>
          assert.deepEqual(
            output()
              .split('\n')
              .filter((line) => warning.test(line)),
            []
          )
      ]
    ]
  }
}
