import type { Migration, RawBuilder } from 'kysely'

/** A migration that runs these statements in order. */
export const steps = (statements: RawBuilder<unknown>[]): Migration => ({
  async up(db) {
    for (const statement of statements) await statement.execute(db)
  }
})
