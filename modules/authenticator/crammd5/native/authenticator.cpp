// The authenticator that Mesos has by default, in C++: CRAM-MD5 (RFC 2195), with the credentials of the operator. It says word
// for word what the module in Go says.
#include <authenticator.hpp>

#include <sys/random.h>
#include <unistd.h>

#include <cctype>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "hmac_md5.hpp"

MESOS_MODULE_LIBRARY()

namespace {

const char MECHANISM[] = "CRAM-MD5";

using mesos::handshake::Answer;

Answer with(Answer::Outcome outcome) {
  Answer answer;
  answer.outcome = outcome;
  return answer;
}

// What nobody has seen before.
std::string unheard() {
  unsigned char bytes[16];
  if (getentropy(bytes, sizeof bytes) != 0) {
    throw mesos::Error("the system has no random numbers");
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte & 31];
    text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte >> 3];
  }
  return text;
}

std::string quoted(const std::string& text) { return '"' + text + '"'; }

// The handshakes under way. The credentials are set once, before the first of them.
class Sessions : public Authenticator {
 public:
  Sessions() {
    char name[256] = "localhost";  // it only makes the challenge more unique
    gethostname(name, sizeof name - 1);
    host_ = name;
  }

  void initialize(const mesos::Optional<mesos::v1::Credentials>& credentials) override {
    secrets_.clear();
    if (credentials) {
      for (const mesos::v1::Credential& credential : credentials->credentials) {
        secrets_[credential.principal] = credential.secret.value_or("");
      }
    }
  }

  std::vector<std::string> mechanisms() override { return {MECHANISM}; }

  // CRAM-MD5 has no first data of the peer's.
  mesos::Optional<Answer> start(const std::string& session, const std::string&, const std::string& mechanism,
                                const std::string&) override {
    if (mechanism != MECHANISM) {
      throw mesos::Error("mechanism " + quoted(mechanism) + " was not offered; it is " + MECHANISM);
    }
    const std::string challenge = "<" + unheard() + "@" + host_ + ">";
    const std::lock_guard<std::mutex> lock(mutex_);
    challenges_[session] = challenge;
    Answer answer = with(Answer::Outcome::CONTINUE);
    answer.data = challenge;
    return answer;
  }

  // The peer sends the name of a principal, a space, and the HMAC of the challenge in hexadecimal digits.
  mesos::Optional<Answer> step(const std::string& session, const std::string& data) override {
    const std::string challenge = take(session);
    const size_t at = data.rfind(' ');  // principals may have spaces in them
    if (at == std::string::npos) {
      return with(Answer::Outcome::REFUSED);
    }
    const std::string principal = data.substr(0, at);
    std::string proof = data.substr(at + 1);
    for (char& c : proof) {
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    // The work is the same for a principal that is not known.
    const auto found = secrets_.find(principal);
    const bool known = found != secrets_.end();
    const std::string want = crammd5::proof(known ? found->second : std::string(), challenge);
    if (!crammd5::same(want, proof) || !known) {
      return with(Answer::Outcome::REFUSED);
    }
    Answer answer = with(Answer::Outcome::ACCEPTED);
    answer.principal = principal;
    return answer;
  }

  void end(const std::string& session) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    challenges_.erase(session);
  }

 private:
  // A challenge is good for one answer.
  std::string take(const std::string& session) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = challenges_.find(session);
    if (found == challenges_.end()) {
      throw mesos::Error("session " + session + " has no challenge that waits for an answer");
    }
    const std::string challenge = found->second;
    challenges_.erase(found);
    return challenge;
  }

  std::string host_;
  std::map<std::string, std::string> secrets_;  // by principal

  std::mutex mutex_;
  std::map<std::string, std::string> challenges_;  // by session
};

}  // namespace

MESOS_MODULE(Authenticator, org_apache_mesos_CRAMMD5Authenticator,
             version(MESOS_VERSION),
             author("Apache Mesos", "modules@mesos.apache.org"),
             description("Authenticates agents by CRAM-MD5."),
             no_parameters())
{
  return new Sessions();
}

MESOS_MODULE_COMPATIBLE(org_apache_mesos_CRAMMD5Authenticator) { return true; }
