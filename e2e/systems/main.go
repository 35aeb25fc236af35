// SPDX-License-Identifier: Apache-2.0

// Command systems prints what e2e/systems/test found out on one Debian or on several as a table, or puts it into a
// document. It runs nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	into := flag.String("into", "", "Markdown `file` whose section of results is replaced")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: systems [-into FILE] RESULT...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(*into, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "systems:", err)
		os.Exit(1)
	}
}

func run(into string, files []string) error {
	if len(files) == 0 {
		return errors.New("name the file that make test-systems has left: ~/.cache/costream-obs-systems/13/result")
	}
	var all []result
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		r, err := parse(string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, r)
	}
	table := markdown(all)
	if into == "" {
		_, err := fmt.Print("\n" + table)
		return err
	}
	document, err := os.ReadFile(into)
	if err != nil {
		return err
	}
	updated, err := replaceSection(string(document), table)
	if err != nil {
		return fmt.Errorf("%s: %w", into, err)
	}
	return os.WriteFile(into, []byte(updated), 0o644)
}
