// The authenticatee that Mesos has by default, in C++: CRAM-MD5 (RFC 2195), with the agent's credential.
#include <authenticatee.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "../../../authenticator/crammd5/native/hmac_md5.hpp"

MESOS_MODULE_LIBRARY()

namespace {

const char MECHANISM[] = "CRAM-MD5";

// One handshake.
class Attempt : public Authenticatee {
 public:
  mesos::Optional<mesos::handshake::Start> start(const std::string&, const std::string&, const mesos::v1::Credential& credential,
                                                 const std::vector<std::string>& mechanisms) override {
    if (std::find(mechanisms.begin(), mechanisms.end(), MECHANISM) == mechanisms.end()) {
      return {};
    }
    credential_ = credential;
    mesos::handshake::Start start;
    start.mechanism = MECHANISM;
    start.data = "";
    return start;
  }

  // Answers the challenge with the principal and proof that the secret is known.
  std::string step(const std::string& challenge) override {
    if (!credential_) {
      throw mesos::Error(std::string(MECHANISM) + " has one challenge, and it has been answered");
    }
    const mesos::v1::Credential credential = *credential_;
    credential_.reset();
    return credential.principal + " " + crammd5::proof(credential.secret.value_or(""), challenge);
  }

 private:
  mesos::Optional<mesos::v1::Credential> credential_;  // absent until it has started, and when it is over
};

}  // namespace

MESOS_MODULE(Authenticatee, org_apache_mesos_CRAMMD5Authenticatee,
             version(MESOS_VERSION),
             author("Apache Mesos", "modules@mesos.apache.org"),
             description("Authenticates the agent by CRAM-MD5."),
             no_parameters())
{
  return new Attempt();
}

MESOS_MODULE_COMPATIBLE(org_apache_mesos_CRAMMD5Authenticatee) { return true; }
