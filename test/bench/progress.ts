/** What the bench is at, for whoever waits. */

/** Says on standard error what is measured next. */
export function tell(what: string): void {
  process.stderr.write(`bench: ${what}\n`)
}
