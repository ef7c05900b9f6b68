/**
 * `dashboard`: a link to the running node's page that logs in once, or a signature of the operator's
 * key over a challenge that the page shows.
 */
import { resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { askAdmin } from '../admin/client.ts'
import { readConfig } from '../config.ts'
import { signChallenge } from '../dashboard/challenge.ts'
import { homePaths } from '../home.ts'
import { Answer } from './answer.ts'
import { openKey } from './init.ts'
import type { CommandResult } from './output.ts'

export interface DashboardFlags {
  readonly home: string
  readonly sign?: string
}

export const dashboard = async ({ home, sign }: DashboardFlags): Promise<CommandResult> => {
  const paths = homePaths(resolve(home))
  if (sign !== undefined) {
    const config = await readConfig(paths.config)
    const operator = await openKey(config.operatorKeystore, config.operatorPassphraseFile)
    const signature = await signChallenge(operator, sign)
    return { json: { signer: operator.address, signature }, lines: [signature] }
  }
  const answer = new Answer(await askAdmin(paths.admin, 'dashboard/link'))
  const [url, link] = [answer.text('url'), answer.text('link')]
  if (url === '') {
    const reason = 'the dashboard is switched off, or its port was taken; see the log of the node'
    throw new HoldfastError({ code: 'CONFIG_INVALID', path: paths.config, reason })
  }
  return {
    json: { url, link },
    lines: [link, 'The link logs in once, within five minutes.'],
  }
}
