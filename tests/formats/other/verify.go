// Verify is a second verifier, written from FORMAT.md and docs/format alone, with Go's standard library alone.
//
// Each argument is a directory that holds `name` (of FILE), FILE, FILE.tlog-proof, `now` (Unix seconds), and either
// `policy`, or `root.json` with the tag file beside it. It prints `accept`, or `refuse: WHY`, for each. What it leaves
// out: OpenPGP tags, SSH keys other than Ed25519, signatures of type 0x06, events other than releases.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

type object = map[string]interface{}

// refuse ends the judgement of one directory.
func refuse(format string, args ...interface{}) { panic(fmt.Errorf(format, args...)) }
func need(ok bool, format string, args ...interface{}) {
	if !ok {
		refuse(format, args...)
	}
}

// --- numbers, base64, canonical JSON ---

var number = regexp.MustCompile(`^(0|[1-9][0-9]{0,18})$`)

func decimal(s string) int64 {
	need(number.MatchString(s), "not a decimal: %q", s)
	n, err := strconv.ParseInt(s, 10, 64)
	need(err == nil, "too large: %q", s)
	return n
}

func unbase64(s string) []byte {
	data, err := base64.StdEncoding.DecodeString(s)
	need(err == nil && base64.StdEncoding.EncodeToString(data) == s, "not canonical base64: %q", s)
	return data
}

func canonical(data []byte, max int) interface{} {
	need(len(data) <= max && utf8.Valid(data), "JSON too long or not UTF-8")
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value interface{}
	need(decoder.Decode(&value) == nil, "not JSON")
	var out strings.Builder
	write(&out, value, 0)
	need(out.String() == string(data), "not canonical JSON")
	return value
}

func write(out *strings.Builder, value interface{}, depth int) {
	switch v := value.(type) {
	case object:
		need(depth < 32, "JSON too deep")
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
			need(strings.IndexFunc(key, func(r rune) bool { return r > 127 }) < 0, "key beyond ASCII")
		}
		sort.Strings(keys)
		for i, key := range keys {
			out.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
			write(out, key, depth+1)
			out.WriteString(":")
			write(out, v[key], depth+1)
		}
		out.WriteString(map[bool]string{true: "{}", false: "}"}[len(v) == 0])
	case []interface{}:
		need(depth < 32, "JSON too deep")
		out.WriteString("[")
		for i, item := range v {
			if i > 0 {
				out.WriteString(",")
			}
			write(out, item, depth+1)
		}
		out.WriteString("]")
	case string:
		quote(out, v)
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		need(err == nil && n < 1<<53 && n > -1<<53, "not an integer below 2^53")
		fmt.Fprint(out, n)
	case nil:
		out.WriteString("null")
	default:
		fmt.Fprint(out, v)
	}
}

func quote(out *strings.Builder, s string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`}
	out.WriteString(`"`)
	for _, r := range s {
		if escaped, ok := short[r]; ok {
			out.WriteString(escaped)
		} else if r < 0x20 {
			fmt.Fprintf(out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	out.WriteString(`"`)
}

func field(value interface{}, path ...string) interface{} {
	for _, key := range path {
		inner, ok := value.(object)
		need(ok, "no object around %s", key)
		value, ok = inner[key]
		need(ok, "no %s", key)
	}
	return value
}

func text(value interface{}, path ...string) string {
	s, ok := field(value, path...).(string)
	need(ok, "%v is no text", path)
	return s
}

func integer(value interface{}, path ...string) int64 {
	n, ok := field(value, path...).(json.Number)
	need(ok, "%v is no number", path)
	return decimal(n.String())
}

// --- keys and notes ---

type key struct {
	name string
	id   []byte
	kind byte
	raw  []byte
}

func isName(s string) bool {
	bad := func(r rune) bool { return r == '+' || r < 0x20 || unicode.IsSpace(r) }
	return s != "" && utf8.ValidString(s) && strings.IndexFunc(s, bad) < 0
}

func vkey(s string) key {
	parts := strings.SplitN(s, "+", 3)
	need(len(parts) == 3 && isName(parts[0]), "not a vkey: %q", s)
	material := unbase64(parts[2])
	need(len(material) == 33 && (material[0] == 1 || material[0] == 4), "key of an unknown type or size")
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	need(fmt.Sprintf("%x", id[:4]) == parts[1], "key id of %s does not fit", parts[0])
	checkPoint(material[1:])
	return key{parts[0], id[:4], material[0], material[1:]}
}

// checkPoint refuses second spellings and keys of small order; a key off the curve verifies nothing in Go.
func checkPoint(raw []byte) {
	y := make([]byte, 32)
	for i := range raw {
		y[31-i] = raw[i]
	}
	y[0] &= 0x7f
	hexY := fmt.Sprintf("%x", y)
	p := "7" + strings.Repeat("f", 61) + "ed"
	small := []string{strings.Repeat("0", 64), strings.Repeat("0", 63) + "1", "7" + strings.Repeat("f", 61) + "ec",
		"05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
		"7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"}
	need(hexY < p, "key not canonical")
	for _, one := range small {
		need(hexY != one, "key of small order")
	}
}

type seen struct {
	key  key
	time int64
}

// open gives a note's text, and who of the known signed it, each once and well.
func open(data []byte, known []key) (string, []seen) {
	need(len(data) <= 1000000 && utf8.Valid(data), "note too long or not UTF-8")
	bad := func(r rune) bool { return r < 0x20 && r != '\n' }
	note := string(data)
	cut := strings.LastIndex(note, "\n\n")
	need(strings.IndexFunc(note, bad) < 0 && cut >= 0 && cut+2 < len(note) && strings.HasSuffix(note, "\n"), "no note")
	body, lines := note[:cut+1], strings.Split(note[cut+2:len(note)-1], "\n")
	need(len(lines) <= 100, "too many signatures")
	var found []seen
	for _, line := range lines {
		parts := strings.Split(line, " ")
		need(len(parts) == 3 && parts[0] == "—" && isName(parts[1]), "not a signature line: %q", line)
		value := unbase64(parts[2])
		need(len(value) > 4, "short signature")
		for _, k := range known {
			if k.name == parts[1] && bytes.Equal(k.id, value[:4]) {
				for _, before := range found {
					need(!bytes.Equal(before.key.id, k.id) || before.key.name != k.name, "%s signed twice", k.name)
				}
				found = append(found, check(k, body, value[4:]))
			}
		}
	}
	need(len(found) > 0, "nobody known signed")
	return body, found
}

func check(k key, body string, value []byte) seen {
	message, at := body, int64(0)
	if k.kind == 4 {
		need(len(value) == 72, "cosignature of another size")
		stamp := binary.BigEndian.Uint64(value)
		need(stamp < 1<<63, "time too large")
		at, value = int64(stamp), value[8:]
		message = fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, body)
	}
	need(len(value) == 64 && ed25519.Verify(k.raw, []byte(message), value), "bad signature of %s", k.name)
	return seen{k, at}
}

// --- policy ---

type group struct {
	name    string
	need    int
	members []string
}
type policy struct {
	logs      []key
	witnesses map[string]key
	groups    []group
	quorum    string
}

var blank = regexp.MustCompile("[ \t]+")

func parsePolicy(data string) policy {
	p := policy{witnesses: map[string]key{}}
	defined, member, raw := map[string]bool{"none": true}, map[string]bool{"none": true}, map[string]bool{}
	bad := func(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f }
	need(strings.HasSuffix(data, "\n") && strings.IndexFunc(data, bad) < 0, "no policy")
	add := func(k key, kind byte) key {
		need(k.kind == kind && !raw[string(k.raw)], "key of the wrong type, or twice")
		raw[string(k.raw)] = true
		return k
	}
	define := func(name string) string {
		need(!defined[name], "name %q twice", name)
		defined[name] = true
		return name
	}
	for _, line := range strings.Split(data, "\n") {
		items := blank.Split(strings.Trim(line, " \t"), -1)
		switch word, n := items[0], len(items); {
		case word == "" || word[0] == '#':
		case word == "log" && (n == 2 || n == 3):
			p.logs = append(p.logs, add(vkey(items[1]), 1))
		case word == "witness" && (n == 3 || n == 4):
			p.witnesses[define(items[1])] = add(vkey(items[2]), 4)
		case word == "group" && n >= 4:
			count, all := 1, len(items[3:])
			if items[2] == "all" {
				count = all
			} else if items[2] != "any" {
				count = int(decimal(items[2]))
			}
			need(1 <= count && count <= all, "threshold of %s", items[1])
			for _, one := range items[3:] {
				need(defined[one] && !member[one], "%q undefined, or a member twice", one)
				member[one] = true
			}
			p.groups = append(p.groups, group{define(items[1]), count, items[3:]})
		case word == "quorum" && n == 2:
			need(p.quorum == "" && defined[items[1]], "quorum twice or undefined")
			p.quorum = items[1]
		default:
			refuse("not a line of a policy: %q", line)
		}
	}
	need(p.quorum != "", "no quorum")
	return p
}

func (p policy) met(cosigned []seen) bool {
	met := map[string]bool{"none": true}
	for name, k := range p.witnesses {
		for _, one := range cosigned {
			met[name] = met[name] || bytes.Equal(one.key.raw, k.raw)
		}
	}
	for _, g := range p.groups {
		count := 0
		for _, one := range g.members {
			if met[one] {
				count++
			}
		}
		met[g.name] = count >= g.need
	}
	return met[p.quorum]
}

// counts says whether the quorum can count the witness of this key.
func (p policy) counts(k key) bool {
	wanted := map[string]bool{p.quorum: true}
	for n := len(p.groups) - 1; n >= 0; n-- {
		for _, one := range p.groups[n].members {
			wanted[one] = wanted[one] || wanted[p.groups[n].name]
		}
	}
	for name, other := range p.witnesses {
		if wanted[name] && bytes.Equal(other.raw, k.raw) {
			return true
		}
	}
	return false
}

// witnessed is the time by which others than the log's operator had seen a checkpoint, -1 if nobody had.
func (p policy) witnessed(origin string, cosigned []seen) int64 {
	host := func(name string) string { return strings.SplitN(name, "/", 2)[0] }
	sort.Slice(cosigned, func(a, b int) bool { return cosigned[a].time < cosigned[b].time })
	met, first := int64(-1), int64(-1)
	for n, one := range cosigned {
		if met < 0 && p.quorum != "none" && p.met(cosigned[:n+1]) {
			met = one.time
		}
		if first < 0 && p.counts(one.key) && host(one.key.name) != host(origin) {
			first = one.time
		}
	}
	if met < 0 || first < 0 {
		return -1
	}
	if first > met {
		return first
	}
	return met
}

// --- checkpoint and tree ---

func node(left, right []byte) []byte {
	h := sha256.Sum256(append(append([]byte{1}, left...), right...))
	return h[:]
}

// climb gives the root of n leaves over the leaf of number i, whose audit path is proof (the leaf's sibling first).
func climb(leaf []byte, i, n int64, proof [][]byte) []byte {
	if n == 1 {
		need(len(proof) == 0, "proof too long")
		return leaf
	}
	need(len(proof) > 0, "proof too short")
	k := int64(1) << (bits.Len64(uint64(n-1)) - 1)
	last, rest := proof[len(proof)-1], proof[:len(proof)-1]
	if i < k {
		return node(climb(leaf, i, k, rest), last)
	}
	return node(last, climb(leaf, i-k, n-k, rest))
}

// proven gives the entry in a proof, its index, the tree that it stands in, and when it was witnessed (-1: never).
func proven(data []byte, p policy, now int64) ([]byte, int64, int64, []byte, int64) {
	need(len(data) <= 1200000, "proof too long")
	cut := bytes.Index(data, []byte("\n\n"))
	need(cut >= 0, "no checkpoint in the proof")
	lines := strings.Split(string(data[:cut]), "\n")
	need(len(lines) >= 3 && lines[0] == "c2sp.org/tlog-proof@v1", "no proof")
	need(strings.HasPrefix(lines[1], "extra ") && strings.HasPrefix(lines[2], "index "), "no entry in the proof")
	entry, index := unbase64(lines[1][6:]), decimal(lines[2][6:])
	need(len(entry) > 0 && len(lines) <= 3+63, "no entry, or too many hashes")
	var path [][]byte
	for _, line := range lines[3:] {
		path = append(path, unbase64(line))
		need(len(path[len(path)-1]) == 32, "hash of another size")
	}
	known := append([]key{}, p.logs...)
	for _, k := range p.witnesses {
		known = append(known, k)
	}
	body, signed := open(data[cut+2:], known)
	head := strings.Split(body, "\n")
	need(len(head) >= 4 && isName(head[0]) && !strings.ContainsAny(body, "\u0085\u2028\u2029"), "no checkpoint")
	for _, line := range head[3 : len(head)-1] {
		need(line != "", "empty extension line")
	}
	size, root := decimal(head[1]), unbase64(head[2])
	var cosigned []seen
	own := false
	for _, one := range signed {
		own = own || one.key.kind == 1 && one.key.name == head[0]
		if one.key.kind == 4 && one.time != 0 {
			need(one.time <= now+600, "cosigned in the future")
			cosigned = append(cosigned, one)
		}
	}
	need(own, "no log of the policy signed under its own name")
	need(p.met(cosigned), "quorum unmet")
	need(len(root) == 32 && index < size, "index outside the tree")
	leaf := sha256.Sum256(append([]byte{0}, entry...))
	need(bytes.Equal(climb(leaf[:], index, size, path), root), "the proof leads to another root")
	return entry, index, size, root, p.witnessed(head[0], cosigned)
}

// --- entry, root and tag ---

func moment(s string) int64 {
	at, err := time.Parse("2006-01-02T15:04:05Z", s)
	need(err == nil && at.Format("2006-01-02T15:04:05Z") == s, "not a time: %q", s)
	return at.Unix()
}

func judge(dir string) {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		need(err == nil, "%s is missing", name)
		return data
	}
	name, now := string(read("name")), decimal(string(read("now")))
	file := read(name)
	var trust object
	rules, err := os.ReadFile(filepath.Join(dir, "policy"))
	if err != nil {
		trust = rootOf(read("root.json"))
		rules = []byte(text(trust, "policy"))
	}
	raw, index, size, tree, by := proven(read(name+".tlog-proof"), parsePolicy(string(rules)), now)
	statement := canonical(raw, 65535)
	ours := field(statement, "predicate", "tagtrail")
	need(text(statement, "_type") == "https://in-toto.io/Statement/v1", "no Statement")
	need(text(statement, "predicateType") == "https://in-toto.io/attestation/release/v0.1", "no release")
	claimed, latest := moment(text(ours, "time")), by
	if by < 0 {
		latest = now
	}
	need(text(ours, "event") == "release" && claimed <= latest+600, "no release, or an impossible time")
	named := false
	for _, one := range field(statement, "subject").([]interface{}) {
		if text(one, "name") == name {
			need(text(one, "digest", "sha256") == fmt.Sprintf("%x", sha256.Sum256(file)), "another file")
			named = true
		}
	}
	need(named && integer(ours, "files", name, "size") == int64(len(file)), "not in the entry, or of another size")
	need(text(ours, "files", name, "origin", "how") != "imported", "imported")
	if trust != nil {
		if checkFreezes(trust, index, size, tree) || by < 0 {
			by = claimed
		}
		checkTag(trust, ours, index, by, read)
	}
}

func rootOf(data []byte) object {
	var envelope struct {
		Payload, PayloadType string
		Signatures           []struct{ Keyid, Sig string }
	}
	need(json.Unmarshal(data, &envelope) == nil, "no envelope")
	payload := unbase64(envelope.Payload)
	need(envelope.PayloadType == "application/vnd.tagtrail.root.v1+json", "no root")
	root, ok := canonical(payload, 16<<20).(object)
	need(ok && text(root, "_type") == "https://tagtrail.dev/root/v1", "no root")
	pae := fmt.Sprintf("DSSEv1 %d %s %d %s", len(envelope.PayloadType), envelope.PayloadType, len(payload), payload)
	signed := map[string]bool{}
	for _, one := range field(root, "root", "keys").([]interface{}) {
		k := vkey(one.(string))
		for _, signature := range envelope.Signatures {
			if sig := unbase64(signature.Sig); len(sig) == 64 && ed25519.Verify(k.raw, []byte(pae), sig) {
				signed[string(k.raw)] = true
			}
		}
	}
	need(int64(len(signed)) >= integer(root, "root", "threshold"), "the root is not signed by its threshold")
	return root
}

// checkFreezes says whether the root vouches for this very tree.
func checkFreezes(root object, index, size int64, tree []byte) bool {
	covered, fits := false, false
	for _, one := range field(root, "freezes").([]interface{}) {
		if index < integer(one, "size") {
			covered = true
			fits = fits || integer(one, "size") == size && text(one, "root") == base64.StdEncoding.EncodeToString(tree)
		}
	}
	need(!covered || fits, "not under a frozen tree")
	return covered
}

func checkTag(root object, ours interface{}, index, by int64, read func(string) []byte) {
	project, tag, signer := text(ours, "project"), field(ours, "tag"), text(ours, "tag", "signer")
	name := project + "-" + text(ours, "version") + ".tag"
	raw := read(name)
	need(fmt.Sprintf("%x", sha256.Sum256(raw)) == text(tag, "sha256"), "another tag")
	need(text(ours, "sidecars", name) == text(tag, "sha256"), "the sidecars name another tag")
	whole := append([]byte(fmt.Sprintf("tag %d\x00", len(raw))), raw...)
	id := fmt.Sprintf("%x", sha1.Sum(whole))
	if len(text(tag, "object")) == 64 {
		id = fmt.Sprintf("%x", sha256.Sum256(whole))
	}
	need(id == text(tag, "object"), "another tag object")
	head := fmt.Sprintf("object %s\ntype commit\ntag %s\ntagger ", text(tag, "commit"), text(tag, "name"))
	need(strings.HasPrefix(string(raw), head), "the tag says something else")
	allowed := false
	if spans, ok := field(root, "signers").(object)[project].([]interface{}); ok {
		for _, span := range spans {
			until, closed := span.(object)["until"]
			open := !closed || index < decimal(until.(json.Number).String())
			allowed = allowed || text(span, "key") == signer && integer(span, "from") <= index && open
		}
	}
	need(allowed, "%s may not sign %s at %d", signer, project, index)
	known := field(root, "keys", signer)
	if before, ok := known.(object)["valid-before"]; ok {
		need(by <= moment(before.(string)), "the signer's key had expired")
	}
	if after, ok := known.(object)["valid-after"]; ok {
		need(by >= moment(after.(string)), "the signer's key was not valid yet")
	}
	checkSSH(raw, text(known, "material"), signer)
}

func cutStrings(data []byte, count int) [][]byte {
	var out [][]byte
	for len(data) > 0 {
		need(len(data) >= 4, "cut string")
		n := int64(binary.BigEndian.Uint32(data)) + 4
		need(int64(len(data)) >= n, "cut string")
		out, data = append(out, data[4:n]), data[n:]
	}
	need(len(out) == count, "%d strings where %d belong", len(out), count)
	return out
}

func join(parts ...[]byte) []byte {
	var out []byte
	for _, part := range parts {
		out = append(append(out, binary.BigEndian.AppendUint32(nil, uint32(len(part)))...), part...)
	}
	return out
}

func checkSSH(raw []byte, material, signer string) {
	begin := bytes.Index(raw, []byte("-----BEGIN SSH SIGNATURE-----\n"))
	need(begin >= 0 && bytes.HasSuffix(raw, []byte("\n-----END SSH SIGNATURE-----\n")), "no SSH signature")
	lines := strings.Split(string(raw[begin:]), "\n")
	blob := unbase64(strings.Join(lines[1:len(lines)-2], ""))
	need(bytes.HasPrefix(blob, []byte("SSHSIG\x00\x00\x00\x01")), "no SSHSIG")
	parts := cutStrings(blob[10:], 5)
	public, hash := parts[0], string(parts[3])
	need(string(parts[1]) == "git" && len(parts[2]) == 0 && (hash == "sha256" || hash == "sha512"), "another SSHSIG")
	need("ssh-ed25519 "+base64.StdEncoding.EncodeToString(public) == material, "signed by another key")
	print := sha256.Sum256(public)
	need("SHA256:"+base64.RawStdEncoding.EncodeToString(print[:]) == signer, "fingerprint of another key")
	pair, sig := cutStrings(public, 2), cutStrings(parts[4], 2)
	need(string(pair[0]) == "ssh-ed25519" && string(sig[0]) == "ssh-ed25519" && len(pair[1]) == 32, "not Ed25519")
	checkPoint(pair[1])
	var digest []byte
	if short, long := sha256.Sum256(raw[:begin]), sha512.Sum512(raw[:begin]); hash == "sha256" {
		digest = short[:]
	} else {
		digest = long[:]
	}
	message := append([]byte("SSHSIG"), join([]byte("git"), nil, []byte(hash), digest)...)
	need(ed25519.Verify(pair[1], message, sig[1]), "bad signature on the tag")
}

func answer(dir string) (said string) {
	defer func() {
		if r := recover(); r != nil {
			err, ok := r.(error)
			if !ok {
				err = errors.New(fmt.Sprint(r))
			}
			said = "refuse: " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
	}()
	judge(dir)
	return "accept"
}

func main() {
	for _, dir := range os.Args[1:] {
		fmt.Println(answer(dir))
	}
}
