/** Sends answers: with their request's id and a true date, and zeroed once they are sent. */

import type { ServerResponse } from 'node:http'

/** The content type of KMS's requests and answers. */
export const JSON_TYPE = 'application/x-amz-json-1.1'

/** An answer. */
export interface HttpAnswer {
  readonly status: number
  /** Of the body. */
  readonly type: string
  /** Zeroed once it has been sent, or cannot be sent any more. */
  readonly body: Buffer
}

/** What sending needs. */
export interface SendOptions {
  readonly requestId: string
  /** For the `date` header, by which clients correct their clocks. */
  readonly nowMs: number
  /** Whether the connection is of use no longer, as when the request has not been read. */
  readonly close?: boolean
}

/** Sends an answer. */
export function send(
  response: ServerResponse,
  { status, type, body }: HttpAnswer,
  { requestId, nowMs, close = false }: SendOptions,
): void {
  // It comes after the last byte, and also when there is nobody left to send to.
  response.on('close', () => body.fill(0))
  response.sendDate = false
  const headers = [
    'x-amzn-requestid',
    requestId,
    'content-type',
    type,
    'content-length',
    String(body.length),
    'cache-control',
    'no-store',
    'date',
    dateOf(nowMs),
  ]
  if (close) headers.push('connection', 'close')
  response.writeHead(status, headers)
  response.end(body)
}

let lastSecond = -1
let lastDate = ''

/** The same text for a whole second, since making it costs more than all the rest of the headers. */
function dateOf(nowMs: number): string {
  const second = Math.floor(nowMs / 1000)
  if (second !== lastSecond) {
    lastSecond = second
    lastDate = new Date(nowMs).toUTCString()
  }
  return lastDate
}
