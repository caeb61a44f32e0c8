package vm

import (
	"fmt"
	"strconv"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
)

// The functions that count are globals that no script can name.
const (
	joinName    = "\x00join"    // strings
	setName     = "\x00set"     // a field of a table
	tableName   = "\x00table"   // a table that has been made
	emptyName   = "\x00empty"   // makes an empty table
	closureName = "\x00closure" // a function that has been made
)

// maxDepth is how deep a script may be nested: compilers recurse.
const maxDepth = 150

// maxTerms is how many strings one expression may join: they are all in registers.
const maxTerms = 150

// rewriter changes a syntax tree so that everything that takes memory is counted.
type rewriter struct {
	name    string
	depth   int
	problem *SyntaxError // the first
	names   int
}

func (w *rewriter) fail(at ast.PositionHolder, format string, args ...any) {
	if w.problem == nil {
		w.problem = &SyntaxError{Name: w.name, Line: at.Line(), Message: fmt.Sprintf(format, args...)}
	}
}

// in goes one level deeper, and says whether that is allowed.
func (w *rewriter) in(at ast.PositionHolder) bool {
	if w.depth++; w.depth > maxDepth {
		w.fail(at, "this is nested more than %d levels deep", maxDepth)
		return false
	}
	return w.problem == nil
}

func (w *rewriter) out() { w.depth-- }

func (w *rewriter) block(all []ast.Stmt) []ast.Stmt {
	changed := make([]ast.Stmt, 0, len(all))
	for _, s := range all {
		if !w.in(s) {
			return nil
		}
		changed = append(changed, w.stmt(s)...)
		w.out()
	}
	return changed
}

func (w *rewriter) stmt(s ast.Stmt) []ast.Stmt {
	switch s := s.(type) {
	case *ast.AssignStmt:
		return w.assign(s)
	case *ast.LocalAssignStmt:
		return w.local(s)
	case *ast.FuncCallStmt:
		s.Expr = w.expr(s.Expr)
	case *ast.DoBlockStmt:
		s.Stmts = w.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition, s.Stmts = w.expr(s.Condition), w.block(s.Stmts)
	case *ast.RepeatStmt:
		s.Condition, s.Stmts = w.expr(s.Condition), w.block(s.Stmts)
	case *ast.IfStmt:
		s.Condition, s.Then, s.Else = w.expr(s.Condition), w.block(s.Then), w.block(s.Else)
	case *ast.NumberForStmt:
		s.Init, s.Limit = w.expr(s.Init), w.expr(s.Limit)
		if s.Step != nil {
			s.Step = w.expr(s.Step)
		}
		s.Stmts = w.block(s.Stmts)
	case *ast.GenericForStmt:
		w.exprs(s.Exprs)
		s.Stmts = w.block(s.Stmts)
	case *ast.FuncDefStmt:
		return w.function(s)
	case *ast.ReturnStmt:
		w.exprs(s.Exprs)
	case *ast.BreakStmt, *ast.LabelStmt, *ast.GotoStmt:
	default:
		w.fail(s, "a statement of the kind %T is not known", s)
	}
	return []ast.Stmt{s}
}

// function makes an assignment of a definition.
func (w *rewriter) function(s *ast.FuncDefStmt) []ast.Stmt {
	target := s.Name.Func
	if target == nil { // function object:method()
		key := at(&ast.StringExpr{Value: s.Name.Method}, s)
		target = at(&ast.AttrGetExpr{Object: s.Name.Receiver, Key: key}, s)
		s.Func.ParList.Names = append([]string{"self"}, s.Func.ParList.Names...)
	}
	return w.assign(at(&ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{s.Func}}, s.Func))
}

// local leaves a single function as it is, since it may call itself, and counts beside it.
func (w *rewriter) local(s *ast.LocalAssignStmt) []ast.Stmt {
	if len(s.Names) == 1 && len(s.Exprs) == 1 {
		if f, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
			w.body(f)
			return []ast.Stmt{statement(w.call(s, closureName)), s}
		}
	}
	w.exprs(s.Exprs)
	return []ast.Stmt{s}
}

// assign makes calls of the assignments to fields.
func (w *rewriter) assign(s *ast.AssignStmt) []ast.Stmt {
	w.exprs(s.Rhs)
	fields := 0
	for i, target := range s.Lhs {
		s.Lhs[i] = w.expr(target)
		if _, ok := target.(*ast.AttrGetExpr); ok {
			fields++
		}
	}
	if fields == 0 {
		return []ast.Stmt{s}
	}
	if len(s.Lhs) == 1 && len(s.Rhs) == 1 {
		field := s.Lhs[0].(*ast.AttrGetExpr)
		return []ast.Stmt{statement(w.call(s, setName, field.Object, field.Key, s.Rhs[0]))}
	}
	return w.several(s)
}

// several evaluates everything before anything is assigned, as Lua does.
func (w *rewriter) several(s *ast.AssignStmt) []ast.Stmt {
	do := at(&ast.DoBlockStmt{}, s)
	keep := func(names []string, values []ast.Expr) {
		do.Stmts = append(do.Stmts, at(&ast.LocalAssignStmt{Names: names, Exprs: values}, s))
	}
	var last []ast.Stmt
	var values []string
	for _, target := range s.Lhs {
		value := w.fresh()
		values = append(values, value)
		read := at(&ast.IdentExpr{Value: value}, s)
		field, ok := target.(*ast.AttrGetExpr)
		if !ok {
			last = append(last, at(&ast.AssignStmt{Lhs: []ast.Expr{target}, Rhs: []ast.Expr{read}}, s))
			continue
		}
		object, key := w.fresh(), w.fresh()
		keep([]string{object, key}, []ast.Expr{field.Object, field.Key})
		last = append(last, statement(w.call(s, setName, at(&ast.IdentExpr{Value: object}, s), at(&ast.IdentExpr{Value: key}, s), read)))
	}
	keep(values, s.Rhs)
	do.Stmts = append(do.Stmts, last...)
	return []ast.Stmt{do}
}

// fresh is a name that no script can write.
func (w *rewriter) fresh() string {
	w.names++
	return "\x00" + strconv.Itoa(w.names)
}

func (w *rewriter) exprs(all []ast.Expr) {
	for i, e := range all {
		all[i] = w.expr(e)
	}
}

func (w *rewriter) expr(e ast.Expr) ast.Expr {
	if !w.in(e) {
		return e
	}
	defer w.out()
	switch e := e.(type) {
	case *ast.TrueExpr, *ast.FalseExpr, *ast.NilExpr, *ast.NumberExpr, *ast.StringExpr, *ast.IdentExpr:
	case *ast.Comma3Expr:
		w.fail(e, "functions of any number of arguments (...) are not allowed")
	case *ast.AttrGetExpr:
		e.Object, e.Key = w.expr(e.Object), w.expr(e.Key)
	case *ast.TableExpr:
		return w.table(e)
	case *ast.FuncCallExpr:
		if e.Receiver != nil {
			e.Receiver = w.expr(e.Receiver)
		} else {
			e.Func = w.expr(e.Func)
		}
		w.exprs(e.Args)
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = w.expr(e.Lhs), w.expr(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = w.expr(e.Lhs), w.expr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = w.expr(e.Lhs), w.expr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		e.Expr = w.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = w.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = w.expr(e.Expr)
	case *ast.StringConcatOpExpr:
		return w.join(e)
	case *ast.FunctionExpr:
		w.body(e)
		return w.call(e, closureName, e)
	default:
		w.fail(e, "an expression of the kind %T is not known", e)
	}
	return e
}

func (w *rewriter) body(f *ast.FunctionExpr) {
	if f.ParList.HasVargs {
		w.fail(f, "functions of any number of arguments (...) are not allowed")
	}
	f.Stmts = w.block(f.Stmts)
}

// join makes one call of a chain, which Lua nests to the right.
func (w *rewriter) join(e *ast.StringConcatOpExpr) ast.Expr {
	var terms []ast.Expr
	var rest ast.Expr = e
	for {
		chain, ok := rest.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		terms, rest = append(terms, w.single(chain.Lhs)), chain.Rhs
	}
	if terms = append(terms, w.single(rest)); len(terms) > maxTerms {
		w.fail(e, "more than %d strings are joined by one expression", maxTerms)
	}
	return w.call(e, joinName, terms...)
}

// single makes an operand one value, also if it is the last argument of a call.
func (w *rewriter) single(e ast.Expr) ast.Expr {
	e = w.expr(e)
	if call, ok := e.(*ast.FuncCallExpr); ok {
		call.AdjustRet = true
	}
	return e
}

// table counts a constructor. How many values without keys it has, one knows later.
func (w *rewriter) table(e *ast.TableExpr) ast.Expr {
	if len(e.Fields) == 0 {
		return w.call(e, emptyName)
	}
	size, keyed := int64(tableBytes), false
	for _, f := range e.Fields {
		if f.Key != nil {
			f.Key, keyed = w.expr(f.Key), true
			size += fieldBytes
		}
		f.Value = w.expr(f.Value)
	}
	if !keyed {
		size += firstBytes // what the first field that is set takes then
	}
	return w.call(e, tableName, at(&ast.NumberExpr{Value: strconv.FormatInt(size, 10)}, e), e)
}

// call is a call of one of the functions that count.
func (w *rewriter) call(where ast.PositionHolder, name string, args ...ast.Expr) *ast.FuncCallExpr {
	return at(&ast.FuncCallExpr{Func: at(&ast.IdentExpr{Value: name}, where), Args: args, AdjustRet: true}, where)
}

func statement(call *ast.FuncCallExpr) ast.Stmt {
	call.AdjustRet = false
	return at(&ast.FuncCallStmt{Expr: call}, call)
}

// at gives a new node the place of another.
func at[N ast.PositionHolder](n N, where ast.PositionHolder) N {
	n.SetLine(where.Line())
	n.SetLastLine(max(where.Line(), where.LastLine()))
	return n
}

// translate compiles, whatever the compiler does.
func translate(name string, chunk []ast.Stmt) (proto *lua.FunctionProto, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &SyntaxError{Name: name, Message: fmt.Sprintf("the script cannot be compiled: %v", p)}
		}
	}()
	proto, err = lua.Compile(chunk, name)
	if err != nil {
		if at, ok := err.(*lua.CompileError); ok {
			return nil, &SyntaxError{Name: name, Line: at.Line, Message: at.Message}
		}
		return nil, &SyntaxError{Name: name, Message: err.Error()}
	}
	return proto, nil
}
