/**
 * Fetches the toolchains of other languages, and builds each client once, so that the tests only
 * use what is there. A language that cannot be had here is named, and its tests are skipped.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isReady, LANGUAGES, type Language, markReady } from './toolchains.ts'

const FETCH_MS = 240_000

await Promise.all(LANGUAGES.map(fetchLanguage))

async function fetchLanguage(language: Language): Promise<void> {
  if (isReady(language)) return
  const folder = mkdtempSync(join(tmpdir(), 'keyslot-language-'))
  const signal = AbortSignal.timeout(FETCH_MS)
  try {
    await language.fetch(signal)
    await language.build(folder, signal)
    markReady(language)
    console.log(`a client in ${language.name} can be built`)
  } catch (error) {
    const { message } = error as Error
    console.error(`NO CLIENT IN ${language.name.toUpperCase()}, its test is skipped: ${message}`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
