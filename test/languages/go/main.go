// A client of keyslot in Go: makes a key, encrypts, decrypts, rotates, and reads a failure.
//
// Where the service is and who calls is in the variables that `npx keyslot env` prints. What
// happened is printed as JSON.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	kms "keyslot.example/client/gen/keyslot/v1"
)

const (
	plaintext = "attack at dawn"
	deadline  = 10 * time.Second
)

var encryptionContext = map[string]string{"purpose": "plan"}

// What happened; bytes are base64 in JSON.
type transcript struct {
	KeyID          string  `json:"keyId"`
	Ciphertext     []byte  `json:"ciphertext"`
	BeforeRotation string  `json:"beforeRotation"`
	AfterRotation  string  `json:"afterRotation"`
	Failure        failure `json:"failure"`
}

type failure struct {
	Status string `json:"status"`
	Reason string `json:"reason"`
	Domain string `json:"domain"`
}

func main() {
	connection, err := connect()
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	happened, err := run(ctx, kms.NewKeyManagementServiceClient(connection))
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(happened); err != nil {
		log.Fatal(err)
	}
}

func connect() (*grpc.ClientConn, error) {
	certificate, err := tls.LoadX509KeyPair(
		os.Getenv("KEYSLOT_CERTIFICATE"), os.Getenv("KEYSLOT_PRIVATE_KEY"))
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(os.Getenv("KEYSLOT_CA"))
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(ca) {
		return nil, errors.New("KEYSLOT_CA holds no certificate")
	}
	return grpc.NewClient(os.Getenv("KEYSLOT_ENDPOINT"), grpc.WithTransportCredentials(
		credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{certificate},
			RootCAs:      authorities,
			MinVersion:   tls.VersionTLS12,
		})))
}

func run(ctx context.Context, service kms.KeyManagementServiceClient) (*transcript, error) {
	created, err := service.CreateKey(ctx, &kms.CreateKeyRequest{Description: "made from Go"})
	if err != nil {
		return nil, err
	}
	keyID := created.GetKeyMetadata().GetKeyId()
	encrypted, err := service.Encrypt(ctx, &kms.EncryptRequest{
		KeyId:             keyID,
		Plaintext:         []byte(plaintext),
		EncryptionContext: encryptionContext,
	})
	if err != nil {
		return nil, err
	}
	decrypt := &kms.DecryptRequest{
		CiphertextBlob:    encrypted.GetCiphertextBlob(),
		EncryptionContext: encryptionContext,
	}
	before, err := service.Decrypt(ctx, decrypt)
	if err != nil {
		return nil, err
	}
	if _, err := service.RotateKeyOnDemand(ctx, &kms.RotateKeyOnDemandRequest{KeyId: keyID}); err != nil {
		return nil, err
	}
	after, err := service.Decrypt(ctx, decrypt)
	if err != nil {
		return nil, err
	}
	if _, err := service.DisableKey(ctx, &kms.DisableKeyRequest{KeyId: keyID}); err != nil {
		return nil, err
	}
	_, err = service.Decrypt(ctx, decrypt)
	refused, err := failureOf(err)
	if err != nil {
		return nil, err
	}
	return &transcript{
		KeyID:          keyID,
		Ciphertext:     encrypted.GetCiphertextBlob(),
		BeforeRotation: string(before.GetPlaintext()),
		AfterRotation:  string(after.GetPlaintext()),
		Failure:        refused,
	}, nil
}

// What a call was refused with; an error where it was not refused, or not by keyslot.
func failureOf(err error) (failure, error) {
	refusal, _ := status.FromError(err)
	for _, detail := range refusal.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return failure{refusal.Code().String(), info.GetReason(), info.GetDomain()}, nil
		}
	}
	return failure{}, errors.Join(errors.New("the call was not refused with an ErrorInfo"), err)
}
