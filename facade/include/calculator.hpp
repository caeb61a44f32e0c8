#ifndef MESOS_CALCULATOR_HPP
#define MESOS_CALCULATOR_HPP

#include <mesos/module.hpp>
#include <mesos/roles/calculator.h>

class Calculator {
 public:
  Calculator() {}
  virtual ~Calculator() {}

  virtual int compute(char a, long b) = 0;
};

namespace mesos {
namespace modules {

using ::Calculator;

template <typename T>
struct MESOS_HIDDEN CalculatorTable {
  static const mesos_calculator_table value;

  static int32_t compute(void* object, const mesos_context* context, uint8_t a, int64_t b, int32_t* result, mesos_error* error) {
    return call_method<T>(object, context, error, [&](T& instance) {
      *result = instance.compute(static_cast<char>(a), b);
    });
  }
};

template <typename T>
MESOS_CONSTANT_ const mesos_calculator_table CalculatorTable<T>::value = {
    MESOS_CALCULATOR_HEAD,
    &CalculatorTable<T>::compute,
};

template <>
struct MESOS_HIDDEN Role<Calculator> {
  static constexpr const char* name() { return "Calculator"; }
  static const mesos_role_table* table() { return &CalculatorTable<Calculator>::value.head; }
};

}  // namespace modules
}  // namespace mesos
#endif
