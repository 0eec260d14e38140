// Peer speaks for golang.org/x/mod/sumdb: it makes vectors, and judges what somebody else made.
//
//	peer vectors          prints JSON: keys, notes, roots, proofs, tiles and their paths
//	peer check            reads one JSON question a line, answers `yes` or `no: REASON` a line
//
// Entry number N of its log is the text "entry N".
package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// A memory is a log's stored hashes, by tlog's own index.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		if i < 0 || i >= int64(len(m)) {
			return nil, fmt.Errorf("no hash %d", i)
		}
		out = append(out, m[i])
	}
	return out, nil
}

func grow(size int64) memory {
	var m memory
	for n := int64(0); n < size; n++ {
		hashes, err := tlog.StoredHashes(n, []byte(fmt.Sprintf("entry %d", n)), m)
		must(err)
		m = append(m, hashes...)
	}
	return m
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

type key struct{ Skey, Vkey string }
type signed struct {
	Text string
	By   []int
	Note string
}
type root struct {
	Size int64
	Root tlog.Hash
	Note string
}
type inclusion struct {
	Size, Index int64
	Proof       []tlog.Hash
}
type consistency struct {
	Old, New int64
	Proof    []tlog.Hash
}
type tile struct {
	Size   int64
	Path   string
	Sha256 string
}
type named struct {
	Level int
	Index int64
	Width int
	Path  string
}
type vectors struct {
	Keys        []key
	Notes       []signed
	Roots       []root
	Inclusion   []inclusion
	Consistency []consistency
	Tiles       []tile
	Paths       []named
}

func makeVectors() vectors {
	var v vectors
	var signers []note.Signer
	for i, name := range []string{"example.com/log", "witness.example/é", "a"} {
		skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{byte(i + 1)}, 64)), name)
		must(err)
		signer, err := note.NewSigner(skey)
		must(err)
		v.Keys = append(v.Keys, key{skey, vkey})
		signers = append(signers, signer)
	}
	texts := []string{"one line\n", "\n", "an empty line\n\nwithin\n", "— a b\n", "èç — \u2028 😀\n", "three\n\n\n"}
	for _, text := range texts {
		for _, by := range [][]int{{0}, {1, 2}, {2, 1, 0}} {
			var some []note.Signer
			for _, i := range by {
				some = append(some, signers[i])
			}
			msg, err := note.Sign(&note.Note{Text: text}, some...)
			must(err)
			v.Notes = append(v.Notes, signed{text, by, string(msg)})
		}
	}
	m := grow(65537)
	for _, size := range sizes() {
		h, err := tlog.TreeHash(size, m)
		must(err)
		text := fmt.Sprintf("example.com/log\n%d\n%s\n", size, h)
		msg, err := note.Sign(&note.Note{Text: text}, signers[0])
		must(err)
		v.Roots = append(v.Roots, root{size, h, string(msg)})
	}
	include := func(size int64, indexes ...int64) {
		for _, index := range indexes {
			if index < size {
				p, err := tlog.ProveRecord(size, index, m)
				must(err)
				v.Inclusion = append(v.Inclusion, inclusion{size, index, p})
			}
		}
	}
	for size := int64(1); size <= 12; size++ {
		for index := int64(0); index < size; index++ {
			include(size, index)
		}
	}
	for _, size := range []int64{255, 256, 257, 258, 512, 513} {
		include(size, 0, 1, 127, 128, 254, 255, 256, 257, size-1)
	}
	include(65537, 0, 255, 256, 65535, 65536)
	grown := func(old, new int64) {
		p, err := tlog.ProveTree(new, old, m)
		must(err)
		v.Consistency = append(v.Consistency, consistency{old, new, p})
	}
	for new := int64(1); new <= 10; new++ {
		for old := int64(1); old <= new; old++ {
			grown(old, new)
		}
	}
	around := []int64{1, 200, 255, 256, 257, 258, 512, 513}
	for i, old := range around {
		for _, new := range around[i:] {
			grown(old, new)
		}
	}
	for _, old := range []int64{1, 256, 257, 40000, 65535, 65536} {
		grown(old, 65537)
	}
	for _, size := range []int64{1, 2, 255, 256, 257, 513, 65537} {
		v.Tiles = append(v.Tiles, tiles(size, m)...)
	}
	for _, n := range []int64{0, 1, 999, 1000, 1001, 1234067, 999999999, 1000000000} {
		for _, level := range []int{0, 1, 7} {
			for _, width := range []int{1, 255, 256} {
				t := tlog.Tile{H: height, L: level, N: n, W: width}
				v.Paths = append(v.Paths, named{level, n, width, t.Path()})
			}
		}
	}
	return v
}

func sizes() []int64 {
	var out []int64
	for size := int64(1); size <= 40; size++ {
		out = append(out, size)
	}
	return append(out, 127, 128, 129, 254, 255, 256, 257, 258, 511, 512, 513, 767, 768, 769, 1000, 65535, 65536, 65537)
}

// Tiles are those that stand when the log has size entries; of a large log, those near its edges.
func tiles(size int64, m memory) []tile {
	var out []tile
	all := tlog.NewTiles(height, 0, size)
	for i, t := range all {
		partial := i+1 < len(all) && all[i+1].L == t.L && all[i+1].N == t.N
		if partial || (t.L == 0 && t.N > 2 && t.N < size/256-2) {
			continue
		}
		data, err := tlog.ReadTileData(t, m)
		must(err)
		out = append(out, tile{size, t.Path(), fmt.Sprintf("%x", sha256.Sum256(data))})
	}
	return out
}

type question struct {
	What      string
	Note      string
	Vkeys     []string
	Text      string
	Old, Size int64
	Index     int64
	Leaf      string
	OldRoot   string
	Root      string
	Proof     []string
	Tiles     map[string]string
	Leaves    []string
}

func judge(q question) error {
	switch q.What {
	case "vkey":
		_, err := note.NewVerifier(q.Text)
		return err
	case "skey":
		_, err := note.NewSigner(q.Text)
		return err
	case "path":
		_, err := tlog.ParseTilePath(q.Text)
		return err
	case "note":
		return judgeNote(q)
	case "inclusion":
		h, err := parse(append([]string{q.Root, q.Leaf}, q.Proof...))
		if err != nil {
			return err
		}
		return tlog.CheckRecord(h[2:], q.Size, h[0], q.Index, h[1])
	case "consistency":
		h, err := parse(append([]string{q.Root, q.OldRoot}, q.Proof...))
		if err != nil {
			return err
		}
		return tlog.CheckTree(h[2:], q.Size, h[0], q.Old, h[1])
	case "tiles":
		return judgeTiles(q)
	}
	return fmt.Errorf("unknown question %q", q.What)
}

func judgeNote(q question) error {
	var known []note.Verifier
	for _, vkey := range q.Vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return err
		}
		known = append(known, verifier)
	}
	_, err := note.Open([]byte(q.Note), note.VerifierList(known...))
	return err
}

func parse(texts []string) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, text := range texts {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// A stranger serves the tiles of a question.
type stranger map[string]string

func (s stranger) Height() int                         { return height }
func (s stranger) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (s stranger) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		text, ok := s[t.Path()]
		if !ok {
			return nil, fmt.Errorf("no tile %s", t.Path())
		}
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// Every leaf hash is read through the tiles, which tlog proves against the root.
func judgeTiles(q question) error {
	h, err := parse(append([]string{q.Root}, q.Leaves...))
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tlog.Tree{N: q.Size, Hash: h[0]}, stranger(q.Tiles))
	var indexes []int64
	for n := range q.Leaves {
		indexes = append(indexes, tlog.StoredHashIndex(0, int64(n)))
	}
	found, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	for n := range found {
		if found[n] != h[1+n] {
			return fmt.Errorf("leaf %d is another one", n)
		}
	}
	return nil
}

func answer(line []byte) (said string) {
	defer func() {
		if r := recover(); r != nil {
			said = fmt.Sprintf("no: %v", r)
		}
	}()
	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return "no: " + err.Error()
	}
	if err := judge(q); err != nil {
		return "no: " + err.Error()
	}
	return "yes"
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "vectors" {
		data, err := json.MarshalIndent(makeVectors(), "", " ")
		must(err)
		fmt.Printf("%s\n", data)
		return
	}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		fmt.Println(strings.ReplaceAll(answer(line), "\n", " "))
	}
}
