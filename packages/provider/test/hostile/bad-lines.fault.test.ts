/** A thousand uploads at once, half of them stalled (fault F29, long form). */
import { test } from '@jest/globals'
import { storeBesideStalled } from './bad-lines.ts'

test('1,000 uploads at once, half of them stalled: the others all end well', () =>
  storeBesideStalled(1000))
