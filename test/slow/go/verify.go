package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"
)

type verifier interface {
	Verify(payload []byte, headers http.Header) error
}

func main() {
	var setting struct {
		Secret  string
		Headers map[string]string
		Bodies  [][]byte
	}
	if err := json.NewDecoder(os.Stdin).Decode(&setting); err != nil {
		panic(err)
	}
	headers := http.Header{}
	for name, value := range setting.Headers {
		headers.Set(name, value)
	}
	standard, err := standardwebhooks.NewWebhook(setting.Secret)
	if err != nil {
		panic(err)
	}
	other, err := svix.NewWebhook(setting.Secret)
	if err != nil {
		panic(err)
	}
	for _, one := range []verifier{standard, other} {
		for _, body := range setting.Bodies {
			fmt.Println(one.Verify(body, headers) == nil)
		}
	}
}
