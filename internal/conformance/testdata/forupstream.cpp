// What is left of a module for Apache Mesos once it is compiled: a call into its library.
namespace mesos { namespace internal { void log(const char*); } }
extern "C" { struct { const char* version; } org_apache_mesos_Upstream = {"2"}; }
void run() { mesos::internal::log("hello"); }
