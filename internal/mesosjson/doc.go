// Package mesosjson writes and reads the API messages as JSON the way Apache Mesos does, which is neither protojson's way
// nor that of encoding/json. Clients of the v1 API see the difference.
//
// # Writing
//
// Fields come in the order in which the .proto file declares them, under the names they have there. Enums are written by
// name, bytes in padded standard base64, maps as objects with sorted keys, integers of any size as numbers, and doubles
// always with a fraction or an exponent: 1.0, 0.000001, 1e21. An optional field with an explicit default is written even
// when it is not set, unless it is deprecated; every other field that is not set, and every empty list or map, is left out.
// There is no white space, and of the characters only those are escaped that JSON demands.
//
// # Reading
//
// What is unknown is ignored: keys, and names of enum values where the field is not required. null is as good as absent.
// Numbers and booleans may come as strings, "Infinity" and "-Infinity" too for a double. A fraction is cut from an integer.
// One value stands for a list of one, lists in lists are one list, a null in a list is nothing. Of equal keys the last one
// counts, whatever the others held. Base64 may have white space and lack its padding. An enum as a number, or a boolean or
// number for a string, is an error.
//
// There are three kinds of it, one after another: a [*SyntaxError] (the text is not JSON, or exceeds a bound), a
// [*FieldError] (a value does not fit its field, with the path to it) and a [*MissingError] (required fields that are not
// set, all of them).
//
// # Where it departs from Mesos
//
//   - Strings that are not UTF-8 are read as they are, as in Mesos, and written with the replacement character: one bad
//     name of one framework must not make an answer unreadable for all who ask.
//   - A double that is no number is written as the string "Infinity", "-Infinity" or "NaN"; Mesos' daemon ends there.
//   - A uint64 above the int64 range is read to the last digit; Mesos goes through a double.
//   - A number with a fraction or exponent, or beyond 64 bits, that does not fit its integer field is an error; in Mesos
//     that is undefined. A whole number within 64 bits that does not fit is cut to the field's bits, as in Mesos.
//   - The text, its values and the memory they cost are bounded ([Limits]); of the bounds Mesos has only the depth of 200.
//   - The name of a JSONP callback must be one; Mesos writes whatever it is given.
//   - Maps are sorted; Mesos writes them in the order of their hashes.
package mesosjson
