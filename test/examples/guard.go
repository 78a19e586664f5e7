package main // aip serve --as support-agent-v1 --socket PATH

import ("bytes"; "context"; "encoding/json"; "fmt"; "net"; "net/http"; "os")

func main() {
	dial := func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", os.Args[1]) }
	client := http.Client{Transport: &http.Transport{DialContext: dial}}
	body := fmt.Sprintf(`{"agent_id":%q,"action":"issue_refund","params":{"amount":%s}}`, os.Args[2], os.Args[3])
	answer, err := client.Post("http://localhost/v1/guard", "application/json", bytes.NewBufferString(body))
	var decision struct{ Success bool; Error_code string }
	if err != nil || answer.StatusCode != 200 || json.NewDecoder(answer.Body).Decode(&decision) != nil || !decision.Success {
		fmt.Fprintln(os.Stderr, "refused", decision.Error_code, err); os.Exit(1)
	}
	fmt.Println("refunded")
}
