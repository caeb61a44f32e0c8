package protocol

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// Nothing is the argument or the answer of methods that have none.
type Nothing struct{}

// Ask calls a method of this package on an object of the other side. A panic over there
// is one here, as in a call of the module itself.
func Ask[A, Q any](ctx context.Context, r *wire.Remote, method string, question Q) (answer A, err error) {
	text, err := json.Marshal(question)
	if err != nil {
		return answer, fmt.Errorf("%s cannot be asked: %w", method, err)
	}
	args := wire.NewEncoder()
	args.Bytes(text)
	results, err := r.Call(ctx, method, args)
	if err != nil {
		return answer, err
	}
	text = results.Bytes()
	if err := results.Err(); err != nil {
		return answer, fmt.Errorf("the answer to %s makes no sense: %w", method, err)
	}
	if len(text) == 0 {
		return answer, nil
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return answer, fmt.Errorf("the answer to %s makes no sense: %w", method, err)
	}
	return answer, nil
}

// Answer serves one call of a method of this package.
func Answer[Q, A any](in *wire.Decoder, out *wire.Encoder, do func(Q) (A, error)) error {
	var question Q
	text := in.Bytes()
	if err := in.Err(); err != nil {
		return err
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &question); err != nil {
			return fmt.Errorf("the question makes no sense: %w", err)
		}
	}
	answer, err := do(question)
	if err != nil {
		return err
	}
	if text, err = json.Marshal(answer); err != nil {
		return fmt.Errorf("the answer cannot be given: %w", err)
	}
	out.Bytes(text)
	return nil
}
