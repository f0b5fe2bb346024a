/** The alphabet of base64, both ways, as bytes: secrets are never made into strings. RFC 4648, 4. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The character of each value of six bits. */
export const BASE64_CHARACTERS: Uint8Array = Buffer.from(ALPHABET)

/** The value of each byte that is a character of base64; -1 for every other byte. */
export const BASE64_VALUES: Int8Array = Int8Array.from({ length: 256 }, (_, byte) =>
  ALPHABET.indexOf(String.fromCharCode(byte)),
)
