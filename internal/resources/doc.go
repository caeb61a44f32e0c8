// Package resources is the arithmetic of cluster resources as the master, its
// allocator and the agent need it: text and JSON forms, validation, adding,
// taking away, comparing and choosing. It does no input or output and knows no
// clock.
//
// Resources is a list of different resources. It is a value: no method changes
// its receiver or an argument, results may share memory with both, and all of
// it may be used from many goroutines. What comes in as messages is copied and
// never changed; what goes out as messages belongs to the caller.
//
// The rules are those of Apache Mesos 1.12, whose behaviour is the source:
//
//   - Numbers (src/common/values.cpp): scalars are rounded to thousandths, see
//     Scalar. Ranges are kept coalesced and in order, sets in the order in which
//     their items came.
//   - What merges (src/common/resources.cpp): two resources are one if name,
//     type, allocation, the whole stack of reservations, disk, provider and the
//     marks revocable and shared are equal; the volume of a disk and the
//     principal of its persistence do not count. MOUNT and BLOCK disks, RAW disks
//     with an id and persistent volumes never merge and are taken away only
//     whole. Shared resources are counted.
//   - Order: what is added goes to the end; of what was used up, the last takes
//     the place. So messages come out in the order that Mesos gives them.
//   - Shapes (src/common/resources_utils.cpp): see Shape. Inside, a resource has
//     its stack of reservations and neither the old role nor the old reservation.
//   - Quantities (src/common/resource_quantities.cpp): see Quantities, Limits.
//   - Roles (src/common/roles.cpp) and attributes (src/common/attributes.cpp).
//
// What differs on purpose: values are rounded and coalesced when they come in,
// not at the first calculation; what is not valid is an error instead of being
// dropped; sets are equal whatever their order; what becomes alike, as by
// Unallocate, is merged; sums stop at the largest amount instead of wrapping;
// Find puts a target together from any number of parts.
package resources
