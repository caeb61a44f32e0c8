// Package image turns images in OCI layout folders into root file systems.
//
// A layout is a folder as "skopeo copy docker://… oci:FOLDER:TAG" or "umoci" write it:
// index.json, which leads to a manifest, which leads to a configuration and layers, all
// of them blobs under their digests. Everything in it is taken for hostile: each blob is
// read through its digest and its size, each layer in addition through that of its
// contents, names cannot leave the root file system, devices are left out, and the whole
// has limits.
//
// Unpacked images are in a store, once per manifest, for as long as somebody wants them.
package image
