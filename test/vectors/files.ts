/** Every file of Wycheproof's vectors, by the test that runs it. */

/** The names of the files, by what is tested with them. */
export const FILES = {
  /** `../tokens/wycheproof.test.ts`. */
  aesGcm: ['aes_gcm_test.json'],
  /** `key-wrap.test.ts`. */
  keyWrap: ['aes_kwp_test.json', 'aes_wrap_test.json'],
  /** `agreement.test.ts`. */
  agreement: [
    'ecdh_secp256r1_test.json',
    'ecdh_secp256r1_ecpoint_test.json',
    'ecdh_secp384r1_test.json',
    'ecdh_secp384r1_ecpoint_test.json',
    'ecdh_secp521r1_test.json',
    'ecdh_secp521r1_ecpoint_test.json',
  ],
  /** `signatures.test.ts`, to the end of Ed25519. */
  ecdsa: [
    'ecdsa_secp256k1_sha256_test.json',
    'ecdsa_secp256k1_sha512_test.json',
    'ecdsa_secp256r1_sha256_test.json',
    'ecdsa_secp256r1_sha512_test.json',
    'ecdsa_secp384r1_sha256_test.json',
    'ecdsa_secp384r1_sha384_test.json',
    'ecdsa_secp384r1_sha512_test.json',
    'ecdsa_secp521r1_sha512_test.json',
  ],
  ecdsaHalves: [
    'ecdsa_secp256k1_sha256_p1363_test.json',
    'ecdsa_secp256k1_sha512_p1363_test.json',
    'ecdsa_secp256r1_sha256_p1363_test.json',
    'ecdsa_secp256r1_sha512_p1363_test.json',
    'ecdsa_secp384r1_sha384_p1363_test.json',
    'ecdsa_secp384r1_sha512_p1363_test.json',
    'ecdsa_secp521r1_sha512_p1363_test.json',
  ],
  pkcs1: [
    'rsa_signature_2048_sha256_test.json',
    'rsa_signature_2048_sha384_test.json',
    'rsa_signature_2048_sha512_test.json',
    'rsa_signature_3072_sha256_test.json',
    'rsa_signature_3072_sha384_test.json',
    'rsa_signature_3072_sha512_test.json',
    'rsa_signature_4096_sha256_test.json',
    'rsa_signature_4096_sha384_test.json',
    'rsa_signature_4096_sha512_test.json',
  ],
  pss: [
    'rsa_pss_2048_sha256_mgf1_32_test.json',
    'rsa_pss_2048_sha384_mgf1_48_test.json',
    'rsa_pss_3072_sha256_mgf1_32_test.json',
    'rsa_pss_4096_sha256_mgf1_32_test.json',
    'rsa_pss_4096_sha384_mgf1_48_test.json',
    'rsa_pss_4096_sha512_mgf1_32_test.json',
    'rsa_pss_4096_sha512_mgf1_64_test.json',
    'rsa_pss_misc_params_test.json',
    'rsa_pss_misc_test.json',
  ],
  ed25519: ['ed25519_test.json'],
  /** `files.test.ts`: no key of keyslot's is of these. */
  mlDsa: [
    'mldsa_44_sign_noseed_test.json',
    'mldsa_44_verify_test.json',
    'mldsa_65_sign_noseed_test.json',
    'mldsa_65_verify_test.json',
    'mldsa_87_sign_noseed_test.json',
    'mldsa_87_verify_test.json',
  ],
  otherMacs: ['hmac_sha512_224_test.json', 'hmac_sha512_256_test.json'],
  /** `macs.test.ts`. */
  macs: [
    'hmac_sha224_test.json',
    'hmac_sha256_test.json',
    'hmac_sha384_test.json',
    'hmac_sha512_test.json',
  ],
  /** `decryption.test.ts`, and `oaep.test.ts` for what takes the padding off by itself. */
  oaep: [
    'rsa_oaep_2048_sha1_mgf1sha1_test.json',
    'rsa_oaep_2048_sha256_mgf1sha1_test.json',
    'rsa_oaep_2048_sha256_mgf1sha256_test.json',
    'rsa_oaep_3072_sha256_mgf1sha1_test.json',
    'rsa_oaep_3072_sha256_mgf1sha256_test.json',
    'rsa_oaep_4096_sha256_mgf1sha1_test.json',
    'rsa_oaep_4096_sha256_mgf1sha256_test.json',
    'rsa_oaep_misc_test.json',
  ],
} as const
