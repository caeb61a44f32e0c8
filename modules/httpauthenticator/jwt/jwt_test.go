package jwt_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/httpauthenticator/jwt"
	generator "github.com/mesos-modules/mms/modules/secretgenerator/jwt"
	"github.com/mesos-modules/mms/modules/secretresolver/value"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
	"github.com/mesos-modules/mms/roles/secretgenerator"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

const k3y = "0123456789abcdef0123456789abcdef"

func parameter(key, value string) moduletest.Option {
	return moduletest.Parameter(jwt.Name, key, value)
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sign makes a token of a header and claims as they stand.
func sign(key, header, claims string) string {
	text := encode(header) + "." + encode(claims)
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

func request(authorization string) *httpauth.Request {
	r := &httpauth.Request{Method: proto.String("GET"), Url: proto.String("/state")}
	if authorization != "" {
		r.Headers = []*httpauth.Header{{Name: proto.String("authorization"), Value: &authorization}}
	}
	return r
}

func TestConformance(t *testing.T) {
	for name, daemon := range map[string]roles.Daemon{"on the master": roles.Master, "on an agent": roles.Slave} {
		t.Run(name, func(t *testing.T) {
			moduletest.Conformance(t, jwt.Library, jwt.Name, parameter("authentication_realm", "r"), parameter("key", k3y),
				moduletest.With(value.Library), moduletest.On(daemon))
		})
	}
}

// written is a principal as "name: claim=value ...".
func written(p *httpauth.Principal) string {
	if p == nil {
		return ""
	}
	var all []string
	for _, l := range p.GetClaims().GetLabels() {
		all = append(all, l.GetKey()+"="+l.GetValue())
	}
	name := "nobody"
	if p.Value != nil {
		name = p.GetValue()
	}
	return name + ": " + strings.Join(all, " ")
}

func TestAuthenticate(t *testing.T) {
	kit := moduletest.New(t, jwt.Library, parameter("authentication_realm", `mesos "agent"`), parameter("key", k3y), moduletest.With(value.Library))
	a := moduletest.Load[httpauthenticator.HttpAuthenticator](kit, jwt.Name)
	good := sign(k3y, hs256, `{"sub":"ann"}`)
	parts := strings.Split(good, ".")
	at := func(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).Unix()) }
	none := encode(`{"alg":"none"}`) + "." + parts[1]
	for _, c := range []struct{ name, header, want, why string }{
		{"a token of the key is known", "Bearer " + good, "ann: sub=ann", ""},
		{"the scheme's case does not matter", "bEARER " + good, "ann: sub=ann", ""},
		{"an executor's has claims and no name", "Bearer " + sign(k3y, hs256, `{"fid":"f","eid":"e","cid":"c"}`), "nobody: cid=c eid=e fid=f", ""},
		{"claims that are no text are JSON", "Bearer " + sign(k3y, hs256, `{"n":12345678901234567890,"b":true,"l":[1,"x"],"sub":"ann"}`), `ann: b=true l=[1,"x"] n=12345678901234567890 sub=ann`, ""},
		{"a subject that is no text is no name", "Bearer " + sign(k3y, hs256, `{"sub":1}`), "nobody: sub=1", ""},
		{"a header without a type", "Bearer " + sign(k3y, `{"alg":"HS256"}`, `{"sub":"ann"}`), "ann: sub=ann", ""},
		{"one that is good for a while", "Bearer " + sign(k3y, hs256, `{"exp":`+at(time.Hour)+`,"nbf":`+at(-time.Hour)+`,"sub":"ann"}`), "ann:", ""},
		{"one that is over", "Bearer " + sign(k3y, hs256, `{"exp":`+at(-time.Second)+`,"sub":"ann"}`), "", "expired"},
		{"one that is still to come", "Bearer " + sign(k3y, hs256, `{"nbf":`+at(time.Hour)+`,"sub":"ann"}`), "", "not valid yet"},
		{"an end that is no number", "Bearer " + sign(k3y, hs256, `{"exp":"never","sub":"ann"}`), "", "exp and nbf"},
		{"a beginning that is none", "Bearer " + sign(k3y, hs256, `{"nbf":null,"sub":"ann"}`), "", "exp and nbf"},
		{"an end too large to be one", "Bearer " + sign(k3y, hs256, `{"exp":1e999,"sub":"ann"}`), "", "exp and nbf"},
		{"nothing", "", "", "-"},
		{"another scheme", "Basic " + good, "", "-"},
		{"another key", "Bearer " + sign("other", hs256, `{"sub":"ann"}`), "", "not signed with the key"},
		{"no algorithm, and no signature", "Bearer " + none + ".", "", "not signed by HS256"},
		{"no algorithm, with a signature", "Bearer " + sign(k3y, `{"alg":"none"}`, `{"sub":"ann"}`), "", "not signed by HS256"},
		{"another algorithm, checked by ours", "Bearer " + sign(k3y, `{"alg":"RS256"}`, `{"sub":"ann"}`), "", "not signed by HS256"},
		{"ours by another name", "Bearer " + sign(k3y, `{"alg":"hs256"}`, `{"sub":"ann"}`), "", "not signed by HS256"},
		{"an algorithm that is no text", "Bearer " + sign(k3y, `{"alg":["HS256"]}`, `{"sub":"ann"}`), "", "header"},
		{"extensions that have to be understood", "Bearer " + sign(k3y, `{"alg":"HS256","crit":["b64"],"b64":false}`, `{"sub":"ann"}`), "", "extensions"},
		{"another type", "Bearer " + sign(k3y, `{"alg":"HS256","typ":"JWE"}`, `{"sub":"ann"}`), "", "another type"},
		{"other claims under the signature", "Bearer " + parts[0] + "." + encode(`{"sub":"eve"}`) + "." + parts[2], "", "not signed with the key"},
		{"half a signature", "Bearer " + good[:len(good)-22], "", ""},
		{"no signature", "Bearer " + parts[0] + "." + parts[1] + ".", "", "not signed with the key"},
		{"two parts", "Bearer " + parts[0] + "." + parts[1], "", "three parts"},
		{"four parts", "Bearer " + good + ".x", "", "three parts"},
		{"padding", "Bearer " + good + "=", "", "base64url"},
		{"what is no base64", "Bearer a.b.ü", "", "base64url"},
		{"claims that are no object", "Bearer " + sign(k3y, hs256, `["ann"]`), "", "claims"},
		{"claims that are nothing", "Bearer " + sign(k3y, hs256, `null`), "", "claims"},
		{"claims with more behind them", "Bearer " + sign(k3y, hs256, `{"sub":"ann"}{}`), "", "claims"},
		{"no claims", "Bearer " + sign(k3y, hs256, `{}`), "", "names nobody"},
		{"more than anybody writes", "Bearer " + sign(k3y, hs256, `{"sub":"`+strings.Repeat("a", 16<<10)+`"}`), "", "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			result, err := a.Authenticate(t.Context(), request(c.header))
			require.NoError(t, err)
			if c.want != "" {
				assert.Contains(t, written(result.GetPrincipal()), c.want)
				assert.Nil(t, result.Unauthorized)
				return
			}
			assert.Nil(t, result.GetPrincipal())
			if c.why == "-" {
				assert.Equal(t, `Bearer realm="mesos \"agent\""`, result.GetUnauthorized())
				return
			}
			assert.Contains(t, result.GetUnauthorized(), `Bearer realm="mesos \"agent\"", error="invalid_token", error_description="`)
			assert.Contains(t, result.GetUnauthorized(), c.why)
		})
	}
	assert.Empty(t, kit.Shown(k3y))
	assert.Empty(t, kit.Shown(parts[2]))
}

// The two modules are a pair.
func TestGeneratedTokens(t *testing.T) {
	kit := moduletest.New(t, generator.Library, moduletest.Parameter(generator.Name, "key", k3y), moduletest.With(value.Library))
	g := moduletest.Load[secretgenerator.SecretGenerator](kit, generator.Name)
	a := moduletest.Load[httpauthenticator.HttpAuthenticator](moduletest.New(t, jwt.Library, parameter("key", k3y), moduletest.With(value.Library)), jwt.Name)
	secret, err := g.Generate(t.Context(), &httpauth.Principal{Value: proto.String("ann"), Claims: &mesosv1.Labels{Labels: []*mesosv1.Label{
		{Key: proto.String("fid"), Value: proto.String("f")}, {Key: proto.String("eid"), Value: proto.String("e")}, {Key: proto.String("cid"), Value: proto.String("c")},
	}}})
	require.NoError(t, err)
	result, err := a.Authenticate(t.Context(), request("Bearer "+string(secret.GetValue().GetData())))
	require.NoError(t, err)
	assert.Equal(t, "ann: cid=c eid=e fid=f sub=ann", written(result.GetPrincipal()))
}

// vault is a resolver whose one secret changes, and which may fail or wait.
type vault struct {
	secretresolver.Unimplemented
	key   atomic.Pointer[string]
	fails atomic.Bool
	waits atomic.Bool
	asked atomic.Int32
}

func (v *vault) Resolve(ctx context.Context, _ *mesosv1.Secret) (*mesosv1.Secret_Value, error) {
	v.asked.Add(1)
	if v.waits.Load() {
		<-ctx.Done()
	}
	if v.fails.Load() || ctx.Err() != nil {
		return nil, errors.New("the vault is sealed")
	}
	return &mesosv1.Secret_Value{Data: []byte(*v.key.Load())}, nil
}

func (v *vault) put(key string) { v.key.Store(&key) }

// TestKeyOfTheResolver runs the constructor itself, in a bubble whose time is the test's.
func TestKeyOfTheResolver(t *testing.T) {
	with := func(t *testing.T, v *vault) httpauthenticator.HttpAuthenticator {
		kit := moduletest.New(t, jwt.Library, parameter("key_secret", "jwt"), parameter("key_refresh", "10secs"),
			moduletest.With(moduletest.StandIn[secretresolver.SecretResolver]("org_example_vault", "1.0.0", v)))
		return moduletest.Load[httpauthenticator.HttpAuthenticator](kit, jwt.Name)
	}
	known := func(t *testing.T, a httpauthenticator.HttpAuthenticator, key string) bool {
		t.Helper()
		result, err := a.Authenticate(t.Context(), request("Bearer "+sign(key, hs256, `{"sub":"ann"}`)))
		require.NoError(t, err)
		return result.GetPrincipal() != nil
	}
	t.Run("a key that changes is found, and the one before stays good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := &vault{}
			v.put("one")
			a := with(t, v)
			assert.True(t, known(t, a, "one"))
			v.put("two")
			assert.False(t, known(t, a, "two"), "the resolver was asked just now")
			time.Sleep(10 * time.Second)
			assert.True(t, known(t, a, "two"))
			assert.True(t, known(t, a, "one"), "executors go on with the tokens they have")
			v.put("three")
			time.Sleep(10 * time.Second)
			assert.True(t, known(t, a, "three"))
			assert.False(t, known(t, a, "one"))
			assert.True(t, known(t, a, "two"))
		})
	})
	t.Run("tokens that do not fit do not ask the resolver more often than allowed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := &vault{}
			v.put("one")
			a := with(t, v)
			time.Sleep(10 * time.Second)
			for range 100 {
				assert.False(t, known(t, a, "guess"))
			}
			assert.EqualValues(t, 2, v.asked.Load())
		})
	})
	t.Run("a resolver that fails or hangs changes nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := &vault{}
			v.put("one")
			a := with(t, v)
			v.fails.Store(true)
			time.Sleep(10 * time.Second)
			assert.False(t, known(t, a, "two"))
			v.waits.Store(true)
			time.Sleep(10 * time.Second)
			began := time.Now()
			assert.False(t, known(t, a, "two"))
			assert.Equal(t, 5*time.Second, time.Since(began), "a request waits so long for the resolver")
			assert.True(t, known(t, a, "one"))
			v.fails.Store(false)
			v.waits.Store(false)
			v.put("two")
			time.Sleep(10 * time.Second)
			assert.True(t, known(t, a, "two"))
		})
	})
}

func TestWrongParameters(t *testing.T) {
	sealed := &vault{}
	sealed.fails.Store(true)
	vaulted := moduletest.With(moduletest.StandIn[secretresolver.SecretResolver]("org_example_vault", "1.0.0", sealed))
	for _, c := range []struct {
		name    string
		options []moduletest.Option
		want    string
	}{
		{"no key", []moduletest.Option{moduletest.With(value.Library)}, "no key to verify tokens with"},
		{"two keys", []moduletest.Option{parameter("key", k3y), parameter("key_secret", "jwt"), moduletest.With(value.Library)}, "both given"},
		{"a key that the resolver does not know", []moduletest.Option{parameter("key_secret", "jwt"), moduletest.With(value.Library)}, `the secret "jwt" is a reference`},
		{"a resolver that fails", []moduletest.Option{parameter("key_secret", "jwt"), vaulted}, "the vault is sealed"},
		{"no resolver", []moduletest.Option{parameter("key", k3y)}, "SecretResolver"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := moduletest.TryLoad[httpauthenticator.HttpAuthenticator](moduletest.New(t, jwt.Library, c.options...), jwt.Name)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), k3y)
		})
	}
}

func FuzzTokens(f *testing.F) {
	instance, err := jwt.Library.Modules[0].Declare().New(f.Context(), nil, facade.Parameters{{Key: "key", Value: k3y}})
	require.NoError(f, err)
	a := instance.(httpauthenticator.HttpAuthenticator)
	f.Add(sign("other", hs256, `{"sub":"ann"}`))
	f.Add("..")
	f.Add(encode(`{"alg":"none"}`) + "." + encode(`{"sub":"ann"}`) + ".")
	f.Fuzz(func(t *testing.T, token string) {
		result, err := a.Authenticate(t.Context(), request("Bearer "+token))
		require.NoError(t, err)
		assert.Nil(t, result.GetPrincipal(), "nobody guesses a signature")
	})
}

func Example() {
	instance, _ := jwt.Library.Modules[0].Declare().New(context.Background(), nil, facade.Parameters{{Key: "key", Value: k3y}})
	a := instance.(httpauthenticator.HttpAuthenticator)
	result, _ := a.Authenticate(context.Background(), request("Bearer "+sign(k3y, hs256, `{"sub":"ann"}`)))
	fmt.Println(result.GetPrincipal().GetValue())
	result, _ = a.Authenticate(context.Background(), request(""))
	fmt.Println(result.GetUnauthorized())
	// Output:
	// ann
	// Bearer realm="mesos"
}
