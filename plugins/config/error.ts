import { StartupError } from '../startup/error.ts'

export interface ConfigurationProblem {
  /** What is wrong, such as "PORT is not valid". Never contains a value, which may be a secret. */
  fault: string
  /** What to do, as a sentence. */
  cure: string
}

/** The environment is not a valid configuration. The message lists every setting at fault and what to do. */
export class ConfigurationError extends StartupError {
  constructor(readonly problems: ConfigurationProblem[]) {
    const count = problems.length === 1 ? 'a correction' : `${problems.length} corrections`
    const lines = problems.map(({ fault, cure }) => `  - ${fault}. ${cure}`)
    super(`The configuration needs ${count}:\n${lines.join('\n')}`)
  }
}
