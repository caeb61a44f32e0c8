// Package registry keeps what a master must not forget over its life: which agents
// were admitted, which are unreachable or gone, weights and quotas. It keeps it in a
// file, of bbolt, or in memory.
//
// In the file each agent has a record of its own, so that a change costs the same
// with ten agents and with fifty thousand. What Apply has answered is on the disk,
// whatever happens to the process or the machine. A file that is damaged is never
// taken for an empty one, or for one with less in it: each bucket's number of records
// and a sum over them are kept beside it and compared when the registry is recovered.
package registry
