package lifecycle

import (
	"context"
	"log/slog"
)

// NewLogger returns an observer that writes one line per event. Levels: Debug for
// begins, states and steps that went well; Info for phases, what returned late
// and what was restarted; Warn for notices, findings, gaps and modules that stand in for others; Error for all that failed,
// panicked, was abandoned or lost.
func NewLogger(log *slog.Logger) Observer {
	return func(e Event) {
		level := levelOf(e)
		ctx := context.Background()
		if !log.Enabled(ctx, level) { // before the work of making the line
			return
		}
		log.LogAttrs(ctx, level, Line(e), attrsOf(e)...)
	}
}

func levelOf(e Event) slog.Level {
	failed := func(err string, otherwise slog.Level) slog.Level {
		if err != "" {
			return slog.LevelError
		}
		return otherwise
	}
	switch e := e.(type) {
	case StateChanged, StepBegan:
		return slog.LevelDebug
	case PhaseBegan:
		return slog.LevelInfo
	case PhaseEnded:
		return failed(e.Err, slog.LevelInfo)
	case StepEnded:
		return failed(e.Err, slog.LevelDebug)
	case StepReturnedLate, ProcessRestarted, ModuleRestarted, FallbackReturned:
		return slog.LevelInfo
	case Notice, FindingReported, FallbackBound, Gap:
		return slog.LevelWarn
	case StepAbandoned, StepPanicked, CallPanicked, ProcessLost, ModuleLost, RestartFailed, ModuleGivenUp:
		return slog.LevelError
	default:
		return slog.LevelError
	}
}

// attrsOf are the parts of an event to search a log by; stacks stay in the event.
func attrsOf(e Event) []slog.Attr {
	h := e.Head()
	w := wire{}
	e.fill(&w)
	attrs := []slog.Attr{slog.String("event", e.Type()), slog.Uint64("seq", h.Seq)}
	for _, a := range []struct{ key, value string }{
		{"phase", h.Phase.String()}, {"module", h.Module}, {"library", h.Library}, {"step", w.Step},
		{"method", w.Method}, {"rule", w.Rule}, {"limit", w.Limit}, {"duration", w.Duration}, {"mend", w.Mend},
		{"end", w.End}, {"said", w.Said}, {"wait", w.Wait}, {"policy", w.Policy}, {"fallback", w.Fallback},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	return attrs
}
