/** Calls through the AWS door by AWS's SDK for JavaScript, in the words of the gRPC door. */

import * as sdk from '@aws-sdk/client-kms'
import { accessKeyOf } from '../../doors/aws/clients/environment.ts'
import { service } from '../service.ts'
import type { Asker } from './outcomes.ts'

type Command = new (input: object) => InstanceType<typeof sdk.DescribeKeyCommand>

/** A client with the access key of the account's root. */
export function sdkClient(): Asker & { readonly kms: sdk.KMSClient } {
  const { service: doors, clock, config, place } = service()
  const kms = new sdk.KMSClient({
    endpoint: doors.awsEndpoint,
    region: place.region,
    credentials: accessKeyOf(config.home),
    maxAttempts: 1,
  })
  return {
    kms,
    has: (name) => Object.hasOwn(sdk, `${name}Command`),
    async call(name, request) {
      // The service's clock stands still, and a full run takes longer than a signature is good for.
      kms.config.systemClockOffset = clock() - Date.now()
      const made = Reflect.get(sdk, `${name}Command`) as Command
      const { $metadata: _, ...response } = await kms.send(new made(inAwsWords(request) as object))
      return inOurWords(response)
    },
  }
}

function inAwsWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inAwsWords)
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name.charAt(0).toUpperCase() + name.slice(1),
      inAwsWords(each),
    ]),
  )
}

function inOurWords(response: object): object {
  return Object.fromEntries(
    Object.entries(response).map(([name, value]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      value instanceof Uint8Array ? Buffer.from(value) : value,
    ]),
  )
}
