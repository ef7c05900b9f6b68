/** The account that a provider names for what its deals earn, as the operator writes it. */
import { type Address, address, HoldfastError, type Signer, ZERO_ADDRESS } from '@holdfast/protocol'
import { hasGoodChecksum } from './checksum-address.ts'

/**
 * The account that is to get what deals earn.
 * @throws HoldfastError `USAGE` for what is no address, was mistyped, or is the operator's: its key
 * lies on the machine that faces the network, and what it could take should stay small.
 */
export const beneficiaryFor = (
  text: string | undefined,
  owner: Signer,
  operator: Signer,
): Address | 'owner' | undefined => {
  if (text === undefined || text === 'owner') return text
  const refuse = (reason: string): never => {
    throw new HoldfastError({ code: 'USAGE', reason: `--beneficiary is "${text}": ${reason}` })
  }
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) refuse('give an address, or owner')
  if (!hasGoodChecksum(text)) refuse('its capitals do not fit, so a digit is wrong')
  const account = address(text)
  if (account === ZERO_ADDRESS) refuse('nobody has its key')
  if (account === operator.address) refuse('that is the operator, whose key must never hold money')
  return account === owner.address ? 'owner' : account
}
