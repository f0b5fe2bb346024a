"""A client of keyslot in Python: makes a key, encrypts, decrypts, rotates, and reads a failure.

Where the service is and who calls is in the variables that `npx keyslot env` prints. What happened
is printed as JSON.
"""

import base64
import json
import os

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from keyslot.v1 import kms_pb2 as kms
from keyslot.v1.kms_pb2_grpc import KeyManagementServiceStub

PLAINTEXT = b"attack at dawn"
CONTEXT = {"purpose": "plan"}
DEADLINE_S = 10


def main():
    with connect() as channel:
        service = KeyManagementServiceStub(channel)
        print(json.dumps(run(service)))


def connect():
    credentials = grpc.ssl_channel_credentials(
        root_certificates=content("KEYSLOT_CA"),
        private_key=content("KEYSLOT_PRIVATE_KEY"),
        certificate_chain=content("KEYSLOT_CERTIFICATE"),
    )
    return grpc.secure_channel(os.environ["KEYSLOT_ENDPOINT"], credentials)


def content(variable):
    with open(os.environ[variable], "rb") as file:
        return file.read()


def run(service):
    request = kms.CreateKeyRequest(description="made from Python")
    key_id = service.CreateKey(request, timeout=DEADLINE_S).key_metadata.key_id
    encrypted = service.Encrypt(
        kms.EncryptRequest(key_id=key_id, plaintext=PLAINTEXT, encryption_context=CONTEXT),
        timeout=DEADLINE_S,
    )
    decrypt = kms.DecryptRequest(
        ciphertext_blob=encrypted.ciphertext_blob, encryption_context=CONTEXT
    )
    before = service.Decrypt(decrypt, timeout=DEADLINE_S).plaintext
    service.RotateKeyOnDemand(kms.RotateKeyOnDemandRequest(key_id=key_id), timeout=DEADLINE_S)
    after = service.Decrypt(decrypt, timeout=DEADLINE_S).plaintext
    service.DisableKey(kms.DisableKeyRequest(key_id=key_id), timeout=DEADLINE_S)
    return {
        "keyId": key_id,
        "ciphertext": base64.b64encode(encrypted.ciphertext_blob).decode(),
        "beforeRotation": before.decode(),
        "afterRotation": after.decode(),
        "failure": failure_of(lambda: service.Decrypt(decrypt, timeout=DEADLINE_S)),
    }


def failure_of(call):
    try:
        call()
    except grpc.RpcError as error:
        details = rpc_status.from_call(error).details
        info = ErrorInfo()
        next(each for each in details if each.Is(ErrorInfo.DESCRIPTOR)).Unpack(info)
        return {"status": error.code().name, "reason": info.reason, "domain": info.domain}
    raise AssertionError("the call did not fail")


main()
