import { versionConflict } from './errors/kinds.ts'

/**
 * Checks that an edit is based on the current version.
 * @param ifMatch the header, such as `3` or `"3"`; without it, or with `*`, the edit applies to any version.
 * @throws ProblemError 409 `version_conflict` with the current `version` when the versions differ.
 */
export const requireVersion = (ifMatch: string | undefined, version: number): void => {
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  const expected = Number(ifMatch.replace(/^W\//, '').replaceAll('"', ''))
  if (expected !== version)
    throw versionConflict(
      `The current version is ${version}, but the edit is based on version ${expected}. Read it again, then retry.`,
      { version }
    )
}
