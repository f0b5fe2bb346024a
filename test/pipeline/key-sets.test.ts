/** Keys of issuers that are fetched: how many wait for them, and when they are asked for again. */

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createTokenVerifier } from '../../src/pipeline/identities/web-identity.ts'
import { type Issuer, newIssuer, serveKeys } from '../operations/sts/tokens.ts'

const ACCOUNT = '111122223333'
const OTHER = '444455556666'
const clock = { nowMs: Date.UTC(2026, 0, 2, 3, 4, 5) }
const now = () => clock.nowMs
const closing: (() => void)[] = []

afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server of key sets, which answers when it is told to. */
async function slowKeys() {
  const asked: ServerResponse[] = []
  const server = createServer((_request, response) => asked.push(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/keys`, asked }
}

function providerOf({ url: issuer, audience }: Issuer, jwks: string, account = ACCOUNT) {
  return {
    arn: `arn:aws:iam::${account}:oidc-provider/issuer.example/realm`,
    account,
    issuer,
    audiences: [audience],
    jwks,
    sessionTags: new Map(),
    createdMs: 0,
  }
}

/** Tokens of one issuer, no two the same. */
function tokensOf(issuer: Issuer, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, (_, at) => issuer.sign({ sub: `user-${at}` })))
}

const outcomeOf = (verified: Promise<unknown>) =>
  verified.then(
    () => 'ok',
    ({ name }: Error) => name,
  )

test('few wait for keys that do not come, and others do not wait for them', async () => {
  const issuer = await newIssuer(now)
  const [stalling, prompt] = [await slowKeys(), await slowKeys()]
  const verifier = createTokenVerifier(now)
  let refused = 0
  const waiting = (await tokensOf(issuer, 40)).map((token) =>
    outcomeOf(
      verifier.verify(token, providerOf(issuer, stalling.url)).catch((error: Error) => {
        if (error.name === 'ThrottlingException') refused += 1
        throw error
      }),
    ),
  )
  await expect.poll(() => refused).toBe(24)
  await expect.poll(() => stalling.asked.length).toBe(1)
  const [token = ''] = await tokensOf(issuer, 1)
  await verifier.verify(token, providerOf(issuer, issuer.jwks))
  const other = verifier.verify(token, providerOf(issuer, prompt.url, OTHER))
  await expect.poll(() => prompt.asked.length).toBe(1)
  prompt.asked[0]?.end(issuer.jwks)
  await other
  stalling.asked[0]?.end(issuer.jwks)
  const outcomes = await Promise.all(waiting)
  expect(outcomes.filter((each) => each === 'ok')).toHaveLength(16)
  // All who waited have gone: there is room again.
  clock.nowMs += 11 * 60_000
  const later = await newIssuer(now)
  const again = (await tokensOf(later, 16)).map((each) =>
    verifier.verify(each, providerOf(later, stalling.url)),
  )
  await expect.poll(() => stalling.asked.length).toBe(2)
  stalling.asked[1]?.end(later.jwks)
  await Promise.all(again)
})

test('keys that could not be had are not asked for again at once', async () => {
  const issuer = await newIssuer(now)
  const server = await slowKeys()
  const verifier = createTokenVerifier(now)
  const [token = ''] = await tokensOf(issuer, 1)
  const verify = () => outcomeOf(verifier.verify(token, providerOf(issuer, server.url)))
  const unreachable = 'IDPCommunicationErrorException'
  const answers = ['', 'no key set', '{"keys":1}']
  for (const [at, answer] of answers.entries()) {
    const failing = verify()
    await expect.poll(() => server.asked.length).toBe(at + 1)
    server.asked[at]?.writeHead(at === 0 ? 503 : 200).end(answer)
    expect(await failing).toBe(unreachable)
    expect(await verify()).toBe(unreachable)
    clock.nowMs += 4999
    expect(await verify()).toBe(unreachable)
    expect(server.asked).toHaveLength(at + 1)
    clock.nowMs += 1
  }
  const good = verify()
  await expect.poll(() => server.asked.length).toBe(answers.length + 1)
  server.asked.at(-1)?.end(issuer.jwks)
  expect(await good).toBe('ok')
})

test('keys are held for ten minutes, and an unknown one asks for them anew, but not often', async () => {
  const [first, second] = [await newIssuer(now), await newIssuer(now, { kid: 'two' })]
  let { jwks } = first
  const server = await serveKeys(() => jwks)
  closing.push(server.close)
  const verifier = createTokenVerifier(now)
  const verify = async (issuer: Issuer, sub: string) => {
    const token = await issuer.sign({ sub })
    const outcome = await outcomeOf(verifier.verify(token, providerOf(issuer, server.url)))
    return [outcome, server.fetched()]
  }
  const unknown = 'InvalidIdentityTokenException'
  expect(await verify(first, 'a')).toEqual(['ok', 1])
  jwks = second.jwks
  clock.nowMs += 29_999
  expect(await verify(second, 'a')).toEqual([unknown, 1])
  clock.nowMs += 1
  expect(await verify(second, 'a')).toEqual(['ok', 2])
  expect(await verify(first, 'b')).toEqual([unknown, 2])
  clock.nowMs += 10 * 60_000 - 1
  expect(await verify(second, 'b')).toEqual(['ok', 2])
  clock.nowMs += 1
  expect(await verify(second, 'c')).toEqual(['ok', 3])
})
