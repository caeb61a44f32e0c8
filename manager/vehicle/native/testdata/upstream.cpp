// What is left of a module for Apache Mesos once it is compiled: calls into its libraries.
namespace mesos { namespace internal { void log(const char*); } }
struct Base { const char* version; };
extern "C" Base org_apache_mesos_Example;
Base org_apache_mesos_Example = {"2"};
void run() { mesos::internal::log("hello"); }
