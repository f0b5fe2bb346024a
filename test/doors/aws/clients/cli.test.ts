/** The ordinary AWS CLI, pointed at keyslot: commands as people type them, with files. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { client, shell, useClientStage } from './environment.ts'
import { has } from './tools.ts'

const PLAN = 'Attack at dawn, with the cat robot.\n'

describe.skipIf(!has('aws', '--version'))('the AWS CLI', { timeout: 120_000 }, () => {
  useClientStage()

  const json = async (line: string) => JSON.parse(await shell(line))
  const inFolder = (name: string) => join(client().folder, name)

  test('makes a key and an alias, encrypts and decrypts files', async () => {
    const { KeyMetadata } = await json(
      'aws kms create-key --description "catrobot key" --tags TagKey=team,TagValue=robots',
    )
    expect(KeyMetadata).toMatchObject({
      AWSAccountId: client().service.place.account,
      Description: 'catrobot key',
      KeyState: 'Enabled',
      KeySpec: 'SYMMETRIC_DEFAULT',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    })
    await shell(
      `aws kms create-alias --target-key-id ${KeyMetadata.KeyId} --alias-name alias/catrobot`,
    )
    writeFileSync(inFolder('battleplans.txt'), PLAN)
    await shell(
      'aws kms encrypt --key-id alias/catrobot --plaintext fileb://battleplans.txt ' +
        '--output text --query CiphertextBlob | base64 --decode > not_battleplans.enc',
    )
    expect(readFileSync(inFolder('not_battleplans.enc')).includes('dawn')).toBe(false)
    expect(
      await shell(
        'aws kms decrypt --ciphertext-blob fileb://not_battleplans.enc ' +
          '--output text --query Plaintext | base64 --decode',
      ),
    ).toBe(PLAN)
  })

  test('re-encrypts under another key', async () => {
    const { KeyMetadata } = await json('aws kms create-key')
    await shell(
      `aws kms re-encrypt --ciphertext-blob fileb://not_battleplans.enc ` +
        `--destination-key-id ${KeyMetadata.KeyId} ` +
        '--output text --query CiphertextBlob | base64 --decode > moved.enc',
    )
    const { KeyId, Plaintext } = await json('aws kms decrypt --ciphertext-blob fileb://moved.enc')
    expect(KeyId).toBe(KeyMetadata.Arn)
    expect(Buffer.from(Plaintext, 'base64').toString()).toBe(PLAN)
  })

  test('switches rotation on, and shows it', async () => {
    const KeyId = (
      await shell(
        'aws kms describe-key --key-id alias/catrobot --query KeyMetadata.KeyId --output text',
      )
    ).trim()
    expect(await shell(`aws kms enable-key-rotation --key-id ${KeyId}`)).toBe('')
    expect(await json(`aws kms get-key-rotation-status --key-id ${KeyId}`)).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 365,
    })
  })

  test('pages through lists', async () => {
    const { Keys } = await json('aws kms list-keys --page-size 1')
    expect(Keys.length).toBeGreaterThan(2)
    expect(await json('aws kms list-keys')).toEqual({ Keys })
    const { Aliases, NextToken } = await json('aws kms list-aliases --max-items 1')
    expect(Aliases).toHaveLength(1)
    expect(NextToken).toBeTypeOf('string')
  })

  test('makes data keys', async () => {
    const made = await json('aws kms generate-data-key --key-id alias/catrobot --key-spec AES_256')
    expect(Buffer.from(made.Plaintext, 'base64')).toHaveLength(32)
    const context = '--encryption-context purpose=plan,with=more'
    writeFileSync(inFolder('blob'), Buffer.from(made.CiphertextBlob, 'base64'))
    expect(await json('aws kms decrypt --ciphertext-blob fileb://blob')).toMatchObject({
      Plaintext: made.Plaintext,
    })
    await expect(
      shell(`aws kms decrypt --ciphertext-blob fileb://blob ${context}`),
    ).rejects.toThrow(
      'An error occurred (InvalidCiphertextException) when calling the Decrypt operation',
    )
  })

  test('shows failures by their names', async () => {
    await expect(shell('aws kms describe-key --key-id alias/none')).rejects.toThrow(
      'An error occurred (NotFoundException) when calling the DescribeKey operation: Alias arn:',
    )
    await expect(shell('AWS_SECRET_ACCESS_KEY=wrong aws kms list-keys')).rejects.toThrow(
      'An error occurred (InvalidSignatureException) when calling',
    )
    await expect(shell('AWS_ACCESS_KEY_ID=AKIANOBODY aws kms list-keys')).rejects.toThrow(
      'An error occurred (UnrecognizedClientException) when calling',
    )
  })
})
