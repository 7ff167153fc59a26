import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startSite } from '../../load/site.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { makeFolder } from '../../machines/programs.ts'
import { Skipped, type Scenario, type ScenarioContext } from '../scenario.ts'
import { underLoad, verifyOutage } from '../under-load.ts'

const diskMegabytes = 200
const rounds = 3

/** Mounts a small disk in memory. */
const mountSmallDisk = (context: ScenarioContext): string => {
  if (process.getuid?.() !== 0) throw new Skipped('requires root, to mount a small disk')
  const folder = makeFolder(context, 'disk')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m,mode=755`, 'tmpfs', folder], { stdio: 'pipe' })
  } catch {
    throw new Skipped('root cannot mount a disk on this machine')
  }
  context.teardown(() => void execFileSync('umount', [folder], { stdio: 'pipe' }))
  return folder
}

/** Fills the disk to the last byte. */
const fill = (path: string): void => {
  const file = openSync(path, 'w')
  try {
    for (let size = 1_048_576; size >= 512;) {
      try {
        if (writeSync(file, Buffer.alloc(size)) < size) size /= 2
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        size /= 2
      }
    }
  } finally {
    closeSync(file)
  }
}

export const fullDisk: Scenario = {
  name: 'full-disk',
  fault: `PostgreSQL's disk fills up under load, ${rounds} times`,
  async run(context) {
    const { random, note } = context
    const disk = mountSmallDisk(context)
    const postgres = await startPostgres(context, {
      durable: true,
      folder: disk,
      settings: ['max_wal_size=32MB', 'min_wal_size=16MB']
    })
    const site = await startSite(context, { random, databaseUrl: postgres.url })
    const ballast = join(disk, 'ballast')
    for (let round = 0; round < rounds; round++) {
      await underLoad(site, 6_000, async () => {
        await delay(random.integer(200, 1_500))
        fill(ballast)
        await delay(random.integer(1_500, 4_000))
        rmSync(ballast)
        // PostgreSQL exits when it cannot write its log, and has to be started again.
        if (!postgres.isRunning()) await postgres.start()
        await delay(random.integer(200, 800))
      })
    }
    note(await verifyOutage(site))
  }
}
