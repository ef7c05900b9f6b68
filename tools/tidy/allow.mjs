/**
 * Exceptions from the house rules, each with its reason. The list only shrinks: an entry that no
 * longer excuses anything is itself a finding. Keys are what a finding calls its key: the file's
 * path, or `path#name` where a rule judges named things.
 */
export const ALLOWED = {
  'unused-dependency': {
    'packages/chain/package.json#@foundry-rs/forge-linux-amd64':
      'found at run time by a name that is put together from the platform',
  },
}
