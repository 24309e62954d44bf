// True alert states: reads cases of random series and a rule as JSON lines, evaluates them with the rules engine of Prometheus, prints the states.
// Built and called by scripts/compare-alert-states.ts.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/util/teststorage"
)

type Case struct {
	ID          string  `json:"id"`
	EvalEvery   float64 `json:"evalEvery"`
	SampleEvery float64 `json:"sampleEvery"`
	Steps       int     `json:"steps"`
	Skip        []int   `json:"skip"`
	Rule        struct {
		Expr          string            `json:"expr"`
		For           float64           `json:"for"`
		KeepFiringFor float64           `json:"keepFiringFor"`
		Labels        map[string]string `json:"labels"`
	} `json:"rule"`
	Series []struct {
		Labels map[string]string `json:"labels"`
		Values []any             `json:"values"`
	} `json:"series"`
}
type Alert struct {
	Labels map[string]string `json:"labels"`
	States string            `json:"states"`
}

func rle(s []byte) string {
	out := ""
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] == s[i] {
			j++
		}
		out += strconv.Itoa(j-i) + string(s[i])
		i = j
	}
	return out
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func run(c Case, eng *promql.Engine, p parser.Parser) []Alert {
	st, err := teststorage.NewWithError()
	must(err)
	defer st.Close()
	n := 0
	for _, s := range c.Series {
		if len(s.Values) > n {
			n = len(s.Values)
		}
	}
	app := st.Appender(context.Background())
	for i := 0; i < n; i++ {
		for _, s := range c.Series {
			if i >= len(s.Values) || s.Values[i] == nil {
				continue
			}
			var v float64
			switch x := s.Values[i].(type) {
			case float64:
				v = x
			case string:
				switch x {
				case "stale":
					v = math.Float64frombits(value.StaleNaN)
				case "NaN":
					v = math.NaN()
				case "+Inf":
					v = math.Inf(1)
				case "-Inf":
					v = math.Inf(-1)
				default:
					panic(x)
				}
			}
			m := map[string]string{"__name__": "m"}
			for k, x := range s.Labels {
				m[k] = x
			}
			_, err := app.Append(0, labels.FromMap(m), int64(float64(i)*c.SampleEvery*1000), v)
			must(err)
		}
	}
	must(app.Commit())
	expr, err := p.ParseExpr(c.Rule.Expr)
	must(err)
	dur := func(s float64) time.Duration { return time.Duration(s*1000) * time.Millisecond }
	rule := rules.NewAlertingRule("truth", expr, dur(c.Rule.For), dur(c.Rule.KeepFiringFor), labels.FromMap(c.Rule.Labels), labels.EmptyLabels(), labels.EmptyLabels(), "", true, promslog.NewNopLogger())
	q := rules.EngineQueryFunc(eng, st)
	skip := map[int]bool{}
	for _, k := range c.Skip {
		skip[k] = true
	}
	found := map[string]map[string]string{}
	states := map[string][]byte{}
	idle := make([]byte, c.Steps)
	for k := range idle {
		idle[k] = 'i'
		if skip[k] {
			idle[k] = '-'
		}
	}
	for k := 0; k < c.Steps; k++ {
		if skip[k] {
			continue
		}
		ts := time.Unix(0, 0).UTC().Add(dur(float64(k) * c.EvalEvery))
		_, err := rule.Eval(context.Background(), 0, ts, q, nil, 0)
		if err != nil {
			fmt.Fprintln(os.Stderr, c.ID, k, err)
		}
		rule.ForEachActiveAlert(func(a *rules.Alert) {
			if a.State == rules.StateInactive {
				return
			}
			m := a.Labels.Map()
			delete(m, "alertname")
			b, _ := json.Marshal(m)
			key := string(b)
			if states[key] == nil {
				states[key] = append([]byte(nil), idle...)
				found[key] = m
			}
			l := byte('p')
			if a.State == rules.StateFiring {
				l = 'f'
				if !a.KeepFiringSince.IsZero() {
					l = 'k'
				}
			}
			states[key][k] = l
		})
	}
	keys := []string{}
	for k := range found {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	out := []Alert{}
	for _, k := range keys {
		out = append(out, Alert{found[k], rle(states[k])})
	}
	return out
}

func main() {
	p := parser.NewParser(parser.Options{})
	eng := promql.NewEngine(promql.EngineOpts{MaxSamples: 50000000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: p})
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for in.Scan() {
		var c Case
		must(json.Unmarshal(in.Bytes(), &c))
		b, _ := json.Marshal(run(c, eng, p))
		w.Write(b)
		w.WriteByte('\n')
	}
}
