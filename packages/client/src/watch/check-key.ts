/** What a look is remembered by: the deal and the period, or the provider for its global entries. */
import type { Subject } from './watch-events.ts'

export const checkKey = ({ deal, provider, period }: Subject): string =>
  `${deal ?? provider}:${period}`
