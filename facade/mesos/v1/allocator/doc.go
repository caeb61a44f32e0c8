// Package allocator holds what an allocator reports about inverse offers. The interface of allocators is in
// roles/allocator.
package allocator
