// SPDX-License-Identifier: Apache-2.0

package obsctl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/andreykaipov/goobs"
	"github.com/andreykaipov/goobs/api"
	"github.com/andreykaipov/goobs/api/opcodes"
	"github.com/andreykaipov/goobs/api/requests"
)

// Batch is any number of requests that OBS gets in one message. It makes them one after the other, in order, whatever
// becomes of those before, and answers once: each round trip saved is worth 1 ms, and 10 to 20 ms where the machine is
// busy. A method adds a request and returns what will hold its answer, and Do sends them:
//
//	b := client.Batch()
//	items := b.SceneItems("Scene")
//	program := b.ProgramScene()
//	if err := b.Do(ctx); err != nil {
//		return err // OBS was not asked, or did not answer
//	}
//	if items.Err != nil {
//		return items.Err // OBS refused this one
//	}
//
// A Batch is not safe for concurrent use, and is done with after Do.
type Batch struct {
	client *Client
	source func(name string) SourceID // what a name means
	view   *PrivateView               // gives private scenes their names; may be nil
	asked  []asked
	made   map[string]int // ids of the items that were made, by variable
}

// Answer is OBS's answer to one request of a batch. It is empty until Batch.Do returns.
type Answer[T any] struct {
	Value T
	Err   error
}

// Nothing is the Value of an answer without content.
type Nothing struct{}

// ItemRef names a scene item in a request of a batch: an existing one, or one that an earlier request of the same batch
// makes.
type ItemRef struct {
	id   int
	made string // the batch's variable that holds its id
}

// ItemID names a scene item by its id.
func ItemID(id int) ItemRef { return ItemRef{id: id} }

// NewItem is the answer to a request that makes a scene item.
type NewItem struct {
	*Answer[int] // the item's id
	ItemRef
}

// asked is one request of a batch.
type asked struct {
	params   api.Params
	item     ItemRef // that it is about, if any
	makes    string  // the batch's variable that gets the item's id
	settling any     // what OBS's window must know before
	light    bool    // OBS needs little time, and its answer is short
	answer   func(data json.RawMessage, err error)
}

// Batch returns an empty batch.
func (c *Client) Batch() *Batch { return &Batch{client: c, source: named} }

// Batch returns an empty batch in which names mean what they mean in the view.
func (v PrivateView) Batch() *Batch {
	return &Batch{client: v.Client, source: v.private.Source, view: &v}
}

// ask adds a request; read turns its answer into a value.
func ask[R, T any](b *Batch, a asked, read func(R) (T, error)) *Answer[T] {
	out := &Answer[T]{}
	a.answer = func(data json.RawMessage, err error) {
		if out.Err = err; err != nil {
			return
		}
		var answer R
		if err := json.Unmarshal(data, &answer); err != nil {
			out.Err = fmt.Errorf("%s: %w", a.params.GetRequestName(), errForm)
			return
		}
		out.Value, out.Err = read(answer)
	}
	b.asked = append(b.asked, a)
	return out
}

// tell adds a request whose answer is empty.
func tell(b *Batch, a asked) *Answer[Nothing] {
	return ask(b, a, func(Nothing) (Nothing, error) { return Nothing{}, nil })
}

// then runs a function after the last request is answered.
func (b *Batch) then(do func()) {
	last := &b.asked[len(b.asked)-1]
	answer := last.answer
	last.answer = func(data json.RawMessage, err error) {
		answer(data, err)
		do()
	}
}

// batchSize is the most requests in one message; a light one counts as an eighth. Other requests of the connection wait
// meanwhile, all must be carried out before the timeout, and an answer grows by some 3 KB for each scene with five items.
const batchSize = 128

// eighths is how much of batchSize a request takes.
func (a asked) eighths() int {
	if a.light {
		return 1
	}
	return 8
}

// Do sends the requests, if there are any. The error says that OBS could not be asked everything or did not answer; the
// unanswered requests get it, too. A request that OBS refused has its error in its answer only.
func (b *Batch) Do(ctx context.Context) error {
	rest, err := b.do(ctx)
	for _, a := range rest {
		a.answer(nil, err)
	}
	return err
}

// one sends a batch of one request, and returns its answer.
func one[T any](ctx context.Context, b *Batch, answer *Answer[T]) (T, error) {
	if err := b.Do(ctx); err != nil {
		var none T
		return none, err
	}
	return answer.Value, answer.Err
}

// do returns the requests that were not answered.
func (b *Batch) do(ctx context.Context) (rest []asked, err error) {
	for rest = b.asked; len(rest) > 0; {
		if err := b.settle(ctx, rest[0]); err != nil {
			return rest, err
		}
		n, size := 1, rest[0].eighths()
		for n < len(rest) && b.settled(rest[n]) {
			if size += rest[n].eighths(); size > 8*batchSize {
				break
			}
			n++
		}
		if err := b.send(ctx, rest[:n]); err != nil {
			return rest, err
		}
		rest = rest[n:]
	}
	return nil, nil
}

// settled reports whether a request need not wait for OBS's window.
func (b *Batch) settled(a asked) bool {
	return a.settling == nil || b.client.isSettled(a.settling)
}

func (b *Batch) settle(ctx context.Context, a asked) error {
	if a.settling == nil {
		return nil
	}
	if err := b.client.awaitSettled(ctx, a.settling); err != nil {
		return fmt.Errorf("%s: %w", a.params.GetRequestName(), err)
	}
	return nil
}

// The messages of obs-websocket.
type (
	batchRequest struct {
		ID        string         `json:"requestId"`
		Requests  []batchedCall  `json:"requests"`
		Type      batchExecution `json:"executionType"`
		Variables map[string]int `json:"variables,omitempty"` // from messages before
	}
	batchedCall struct {
		Type    string            `json:"requestType"`
		Data    json.RawMessage   `json:"requestData,omitempty"`
		Inputs  map[string]string `json:"inputVariables,omitempty"`
		Outputs map[string]string `json:"outputVariables,omitempty"`
	}
	batchAnswer struct {
		D struct {
			ID      string                    `json:"requestId"`
			Results []opcodes.RequestResponse `json:"results"`
		} `json:"d"`
	}
	batchExecution int
)

// serialRealtime makes OBS carry out the requests one after the other, as fast as it can. Its other modes are one per frame,
// and all in parallel, which needs several threads in OBS and knows no variables.
const serialRealtime batchExecution = 0

// opBatch is the message that holds a batch.
const opBatch = 8

// send makes requests in one message.
func (b *Batch) send(ctx context.Context, list []asked) error {
	c := b.client
	message := batchRequest{Type: serialRealtime, Variables: b.made}
	for _, a := range list {
		data, err := json.Marshal(a.params)
		if err != nil {
			return fmt.Errorf("%s: %w", a.params.GetRequestName(), err)
		}
		made := batchedCall{Type: a.params.GetRequestName(), Data: data}
		if a.item.made != "" {
			made.Inputs = map[string]string{"sceneItemId": a.item.made}
		}
		if a.makes != "" {
			made.Outputs = map[string]string{a.makes: "sceneItemId"}
		}
		message.Requests = append(message.Requests, made)
	}
	name := "a batch of requests"
	if len(list) == 1 {
		name = message.Requests[0].Type
	}
	results, err := call(ctx, c, name, func(*goobs.Client) ([]opcodes.RequestResponse, error) {
		message.ID = "batch " + strconv.FormatInt(c.batches.Add(1), 10)
		return c.exchange(message)
	})
	if err != nil {
		return err
	}
	for i, r := range results {
		data := r.Data
		if data == nil {
			data = json.RawMessage("{}")
		}
		list[i].answer(data, refusalOf(r))
	}
	return nil
}

// exchange sends a batch and waits for its answer. Only the goroutine that has the slot calls it.
func (c *Client) exchange(message batchRequest) ([]opcodes.RequestResponse, error) {
	text, err := json.Marshal(struct {
		Op int          `json:"op"`
		D  batchRequest `json:"d"`
	}{opBatch, message})
	if err != nil {
		return nil, err
	}
	// goobs writes only pongs meanwhile, each in one piece.
	if _, err := c.conn.Conn.Write(frame(text)); err != nil {
		c.fail(fmt.Errorf("%w: %w", ErrLost, err))
		return nil, err
	}
	var answer batchAnswer
	select {
	case text := <-c.conn.answers:
		if err := json.Unmarshal(text, &answer); err != nil {
			return nil, errForm
		}
	case <-c.done:
		return nil, c.err
	}
	results := answer.D.Results
	if answer.D.ID != message.ID || len(results) != len(message.Requests) {
		return nil, errForm
	}
	// An OBS that is loading refuses everything, and is asked again.
	if err := refusalOf(results[0]); errors.Is(err, ErrLoading) {
		return nil, err
	}
	return results, nil
}

// refusalOf is OBS's refusal of a request, or nil.
func refusalOf(r opcodes.RequestResponse) error {
	if r.Status.Result {
		return nil
	}
	return &RequestError{Request: r.Type, Code: r.Status.Code, Status: requests.GetStatusForCode(r.Status.Code), Comment: r.Status.Comment}
}
