/** boto3, and curl with its own signatures. */

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { client, shell, useClientStage } from './environment.ts'
import { has } from './tools.ts'

useClientStage()

test.skipIf(!has('python3', '-c', 'import boto3'))('boto3', { timeout: 60_000 }, async () => {
  const said = JSON.parse(await shell(`python3 ${join(import.meta.dirname, 'client.py')}`))
  expect(said).toMatchObject({
    keys: 2,
    same: true,
    largest: true,
    listed: 2,
    caller: `arn:aws:iam::${client().service.place.account}:root`,
    failures: {
      encrypt: ['DisabledException', 400],
      missing: ['NotFoundException', 400],
      too_long: ['ClientError', 400],
      alias: ['InvalidAliasNameException', 400],
    },
  })
  expect(said.request_id).toMatch(/^[0-9a-f-]{36}$/)
  expect(Math.abs(said.created * 1000 - Date.now())).toBeLessThan(600_000)
})

describe.skipIf(!has('curl', '--version', '--aws-sigv4', 'aws:amz:r:s'))('curl', () => {
  const curl = (target: string, body: string, more = '') => {
    const { endpoint, region, key } = client()
    return shell(
      `curl --silent --show-error --noproxy '*' --aws-sigv4 aws:amz:${region}:kms ` +
        `--user '${key.accessKeyId}:${key.secretAccessKey}' ` +
        `--header 'content-type: application/x-amz-json-1.1' ` +
        `--header 'x-amz-target: TrentService.${target}' ${more} --data '${body}' ${endpoint}/`,
    )
  }

  test('with its own signature', async () => {
    const { Plaintext } = JSON.parse(await curl('GenerateRandom', '{"NumberOfBytes":24}'))
    expect(Buffer.from(Plaintext, 'base64')).toHaveLength(24)
  })

  test('with a failure, its status and headers', async () => {
    const answer = await curl('DescribeKey', '{"KeyId":"alias/none"}', '--include')
    expect(answer).toMatch(/^HTTP\/1.1 400 /)
    expect(answer).toMatch(/^x-amzn-requestid: [0-9a-f-]{36}\r$/im)
    expect(answer).toContain('{"__type":"NotFoundException","message":"Alias arn:')
  })
})
