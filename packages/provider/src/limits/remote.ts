/** Whom a connection counts for: one IPv4 address, or the IPv6 network that one customer is given. */

/** `192.0.2.7` for IPv4, also when mapped into IPv6; the first 64 bits for IPv6. */
export const remoteKey = (address: string | undefined): string => {
  if (address === undefined) return 'unknown'
  const plain = address.split('%')[0] ?? address
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(plain)?.[1]
  if (mapped !== undefined) return mapped
  return plain.includes(':') ? `${networkOf(plain)}/64` : plain
}

/** The first four groups, written out. */
const networkOf = (address: string): string => {
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return groups
    .slice(0, 4)
    .map((group) => (Number.parseInt(group, 16) || 0).toString(16))
    .join(':')
}
