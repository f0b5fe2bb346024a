/** Which Node the command needs; in words that an older one can still say. */

/** The oldest major version that has all that keyslot uses: AsyncDisposableStack came last. */
export const NODE_MAJOR_MIN = 24

/** What to tell somebody whose Node is too old; `undefined` when it is not. */
export function complaintAboutNode(version: string): string | undefined {
  if (Number.parseInt(version, 10) >= NODE_MAJOR_MIN) return undefined
  return (
    `keyslot needs Node ${NODE_MAJOR_MIN} or newer, and this is ${version}. ` +
    '`npm install node@26` in this folder puts one where npx finds it.'
  )
}
