package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the man pages into a directory",
		Long: `Write the man pages, one for each command, into a directory, which is made if it is not
there. They are dated by SOURCE_DATE_EPOCH where it is set.`,
		Example: `  loka man /usr/local/share/man/man1`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writeManPages(cmd.Root(), args[0]); err != nil {
				return &failure{code: exitPolicy, err: fmt.Errorf("write man pages: %w", err)}
			}
			return nil
		},
		ValidArgsFunction: completeDirectories,
	}
}

func writeManPages(root *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root.DisableAutoGenTag = true
	return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "loka " + version(), Manual: "loka"}, dir)
}
