import { versionConflict } from './errors/kinds.ts'

/**
 * Holds an edit to the version that it is based on.
 * @param ifMatch the header, such as `3` or `"3"`; without one the edit applies to whatever is there.
 * @throws ProblemError 409 `version_conflict` with the current `version` when the thing has moved.
 */
export const requireVersion = (ifMatch: string | undefined, version: number): void => {
  if (ifMatch === undefined) return
  const expected = Number(ifMatch.replace(/^W\//, '').replaceAll('"', ''))
  if (expected !== version)
    throw versionConflict(`The version is ${version} by now, and the edit is based on version ${expected}.`, {
      version
    })
}
