package main

var Library int

func init() { select {} }
