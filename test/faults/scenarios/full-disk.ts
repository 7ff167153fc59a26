import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startSite } from '../../load/site.ts'
import { startPostgres } from '../../machines/postgres-server.ts'
import { makeFolder } from '../../machines/programs.ts'
import { Skipped, type Scenario, type Stage } from '../scenario.ts'
import { underLoad, verifySaidSo } from '../under-load.ts'

const diskMegabytes = 200
const rounds = 3

/** A small disk of its own, in memory. */
const mountSmallDisk = (stage: Stage): string => {
  if (process.getuid?.() !== 0) throw new Skipped('only root can mount a small disk to fill')
  const folder = makeFolder(stage, 'disk')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m,mode=755`, 'tmpfs', folder], { stdio: 'pipe' })
  } catch {
    throw new Skipped('this machine does not let root mount a disk')
  }
  stage.teardown(() => void execFileSync('umount', [folder], { stdio: 'pipe' }))
  return folder
}

/** Writes until the disk takes nothing more; down to the last bytes. */
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
  trouble: `PostgreSQL's disk fills up under load, ${rounds} times`,
  async run(stage) {
    const { random, note } = stage
    const disk = mountSmallDisk(stage)
    const postgres = await startPostgres(stage, {
      durable: true,
      folder: disk,
      settings: ['max_wal_size=32MB', 'min_wal_size=16MB']
    })
    const site = await startSite(stage, { random, databaseUrl: postgres.url })
    const ballast = join(disk, 'ballast')
    for (let round = 0; round < rounds; round++) {
      await underLoad(site, 6_000, async () => {
        await delay(random.integer(200, 1_500))
        fill(ballast)
        await delay(random.integer(1_500, 4_000))
        rmSync(ballast)
        // Where no log could be written any more PostgreSQL ends, and somebody has to start it again.
        if (!postgres.isRunning()) await postgres.start()
        await delay(random.integer(200, 800))
      })
    }
    note(await verifySaidSo(site))
  }
}
