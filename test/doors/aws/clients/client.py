"""What a service in Python does with boto3: prints as JSON what came of it."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

kms = boto3.client("kms", config=Config(retries={"mode": "standard"}))
said = {}

# Two equal calls in one second have one signature.
first, second = (kms.create_key(Description="made by boto3") for _ in range(2))
said["keys"] = len({first["KeyMetadata"]["KeyId"], second["KeyMetadata"]["KeyId"]})
key_id = first["KeyMetadata"]["KeyId"]
said["created"] = first["KeyMetadata"]["CreationDate"].timestamp()

context = {"purpose": "plan", "__proto__": "x", "Ünïcode": "✓"}
made = kms.generate_data_key(KeyId=key_id, NumberOfBytes=64, EncryptionContext=context)
back = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=context)
said["same"] = made["Plaintext"] == back["Plaintext"] and len(back["Plaintext"]) == 64

largest = bytes(range(256)) * 16
blob = kms.encrypt(KeyId=key_id, Plaintext=largest)["CiphertextBlob"]
said["largest"] = kms.decrypt(CiphertextBlob=blob)["Plaintext"] == largest

said["listed"] = sum(
    each["KeyId"] in {first["KeyMetadata"]["KeyId"], second["KeyMetadata"]["KeyId"]}
    for page in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
    for each in page["Keys"]
)

kms.disable_key(KeyId=key_id)
failures = {}
for name, call in {
    "encrypt": lambda: kms.encrypt(KeyId=key_id, Plaintext=b"x"),
    "missing": lambda: kms.describe_key(KeyId="00000000-0000-4000-8000-000000000000"),
    "too_long": lambda: kms.encrypt(KeyId=key_id, Plaintext=bytes(4097)),
    "alias": lambda: kms.create_alias(AliasName="alias/aws/mine", TargetKeyId=key_id),
}.items():
    try:
        call()
    except ClientError as error:
        failures[name] = [type(error).__name__, error.response["ResponseMetadata"]["HTTPStatusCode"]]
        said["request_id"] = error.response["ResponseMetadata"]["RequestId"]
said["failures"] = failures
said["caller"] = boto3.client("sts").get_caller_identity()["Arn"]
print(json.dumps(said))
