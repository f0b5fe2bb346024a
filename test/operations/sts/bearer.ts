/** Calls with a token, over a connection without a certificate. */

import { credentials, Metadata, Client as RawClient, type ServiceError } from '@grpc/grpc-js'
import { CONTRACT } from '../../../src/contract/contract.ts'
import { decodeMessage } from '../../../src/contract/wire.ts'

/** Calls GetCallerIdentity with these headers. */
export function bearerCall(
  { address, ca }: { readonly address: string; readonly ca: Buffer },
  headers: Readonly<Record<string, string>>,
): Promise<unknown> {
  const client = new RawClient(address, credentials.createSsl(ca), {
    'grpc.ssl_target_name_override': 'localhost',
  })
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
  const { service: name, response } = CONTRACT.GetCallerIdentity
  const asIs = (bytes: Buffer) => bytes
  const read = (bytes: Buffer) => decodeMessage(response, bytes)
  return new Promise((resolve, reject) => {
    const path = `/${name}/GetCallerIdentity`
    const done = (error: ServiceError | null, answer?: unknown) => {
      client.close()
      if (error) reject(error)
      else resolve(answer)
    }
    client.makeUnaryRequest(path, asIs, read, Buffer.alloc(0), metadata, done)
  })
}
